"""The conditional writes of everything beside the records: slots, counts, last captures, attempts, keys, watches,
and until when their days were told of.

None of these items has a status. Each has one condition that keeps concurrent writers apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stillframe.table.attributes import (
    ATTEMPT_LIST,
    CAPTURES,
    EXPIRES_AT,
    HOLDER,
    ID,
    LAST_SCREENSHOT_ID,
    LAST_WRITE,
    LEASE_EXPIRES_AT,
    REQUESTS,
    REVOKED_AT,
    S3_KEY,
    TENANT_SHARD,
    TOLD_UNTIL,
    UPDATED_AT,
    USD,
    VERSION,
    WAIT_COUNT,
    WATCH,
)
from stillframe.table.update import Update

IS_NEW = f"attribute_not_exists(#{ID})"
MAX_ATTEMPTS_NOTED = 300
# The SDK may send a call again whose answer was lost, right after its first effect.
IS_FIRST_SEND = f"attribute_not_exists(#{LAST_WRITE}) OR #{LAST_WRITE} <> :token"


def take_slot(token: str, now_ms: int, lease_ms: int, kept_seconds: int) -> Update:
    """A slot of a host: taken when it is free, when its lease has expired, or when this very token has it already.

    The last case is a call that the SDK sends again because its answer was lost.
    """
    return Update(
        condition=f"attribute_not_exists(#{HOLDER}) OR #{LEASE_EXPIRES_AT} < :now OR #{HOLDER} = :token",
        set_values=_slot_values(token, now_ms, lease_ms, kept_seconds),
        values={":token": token, ":now": now_ms},
    )


def release_slot(token: str, now_ms: int, kept_seconds: int) -> Update:
    """A slot of a host: given back by its holder, as one whose lease has just expired."""
    return Update(
        condition=f"#{HOLDER} = :token",
        set_values=_slot_values(token, now_ms, -1, kept_seconds),
        values={":token": token},
    )


def _slot_values(token: str, now_ms: int, lease_ms: int, kept_seconds: int) -> dict[str, Any]:
    return {HOLDER: token, LEASE_EXPIRES_AT: now_ms + lease_ms, EXPIRES_AT: now_ms // 1000 + kept_seconds}


def raise_wait_count(count: int, now_ms: int, kept_seconds: int) -> Update:
    """How often a message has waited for its host: it only ever grows."""
    return Update(
        condition=f"attribute_not_exists(#{WAIT_COUNT}) OR #{WAIT_COUNT} < :count",
        set_values={WAIT_COUNT: count, EXPIRES_AT: now_ms // 1000 + kept_seconds},
        values={":count": count},
    )


def note_attempt(attempt: Mapping[str, Any], expires_at: int) -> Update:
    """An attempt to post an event: one more, unless there are as many as an item of 400 KB should hold."""
    return Update(
        condition=f"attribute_not_exists(#{ATTEMPT_LIST}) OR size(#{ATTEMPT_LIST}) < :most",
        set_values={EXPIRES_AT: expires_at},
        set_expressions=(f"#{ATTEMPT_LIST} = list_append(if_not_exists(#{ATTEMPT_LIST}, :none), :attempt)",),
        values={":most": MAX_ATTEMPTS_NOTED, ":none": [], ":attempt": [dict(attempt)]},
    )


def replace_last_capture(replaced: tuple[str, str] | None, values: Mapping[str, Any]) -> Update:
    """Where the captures of a request stand: `values` by attribute, where None removes one.

    Replaced if the last capture and the key of the image that the next is compared with are still these two; with None,
    made if there is no such item.
    """
    last, reference = replaced or (None, None)
    return Update(
        condition=f"#{LAST_SCREENSHOT_ID} = :last AND #{S3_KEY} = :reference"
        if replaced
        else f"attribute_not_exists(#{ID})",
        set_values={name: value for name, value in values.items() if value is not None},
        remove=tuple(name for name, value in values.items() if value is None),
        values={":last": last, ":reference": reference} if replaced else {},
    )


def create_key(values: Mapping[str, Any], now_ms: int) -> Update:
    """A key of the API: made once, and never replaced."""
    return Update(condition=IS_NEW, set_values={**values, UPDATED_AT: now_ms})


def revoke_key(now_ms: int, expires_at: int) -> Update:
    """A key that exists ends, at the time at which it was first revoked."""
    return Update(
        condition=f"attribute_exists(#{ID})",
        set_values={EXPIRES_AT: expires_at},
        set_expressions=(f"#{REVOKED_AT} = if_not_exists(#{REVOKED_AT}, :now)",),
        values={":now": now_ms},
    )


def count_requests(number: int, room: int, token: str, expires_at: int) -> Update:
    """A quota's counter rises by `number` if it is not above `room`, once for each token."""
    return Update(
        condition=f"(attribute_not_exists(#{REQUESTS}) OR #{REQUESTS} <= :room) AND ({IS_FIRST_SEND})",
        set_values={LAST_WRITE: token, EXPIRES_AT: expires_at},
        set_expressions=(f"#{REQUESTS} = if_not_exists(#{REQUESTS}, :zero) + :number",),
        values={":number": number, ":room": room, ":zero": 0, ":token": token},
    )


def add_usage(captures: int, usd: float, token: str, expires_at: int) -> Update:
    """What a tenant has used rises, once for each token."""
    return Update(
        condition=IS_FIRST_SEND,
        set_values={LAST_WRITE: token, EXPIRES_AT: expires_at},
        set_expressions=(
            f"#{CAPTURES} = if_not_exists(#{CAPTURES}, :zero) + :captures",
            f"#{USD} = if_not_exists(#{USD}, :zero) + :usd",
        ),
        values={":captures": captures, ":usd": usd, ":zero": 0, ":token": token},
    )


def replace_watch(text: str, version: int, now_ms: int, partition: str | None, expires_at: int | None) -> Update:
    """A watch: made if `version` is 0, and otherwise replaced if it still has this version, which rises by one.

    It is in `partition` of the index of tenants, or with None it is listed no more. It expires if `expires_at` (in
    seconds) is given.
    """
    kept = {TENANT_SHARD: partition, EXPIRES_AT: expires_at}
    return Update(
        condition=f"#{VERSION} = :version" if version else f"attribute_not_exists(#{VERSION})",
        set_values={
            WATCH: text,
            VERSION: version + 1,
            UPDATED_AT: now_ms,
            **{name: value for name, value in kept.items() if value is not None},
        },
        remove=tuple(name for name, value in kept.items() if value is None),
        values={":version": version} if version else {},
    )


def raise_told_until(until_ms: int, expires_at: int) -> Update:
    """Until when the days of a watch were told of, which only ever moves on. It expires at a time in seconds."""
    return Update(
        condition=f"attribute_not_exists(#{TOLD_UNTIL}) OR #{TOLD_UNTIL} < :until",
        set_values={TOLD_UNTIL: until_ms, EXPIRES_AT: expires_at},
        values={":until": until_ms},
    )
