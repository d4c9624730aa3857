"""The life of a record. Everything that changes a record under a condition must live in this file.

A transition is one conditional update: DynamoDB decides, in a single write, whether it happens.

                           +--------- release ----------+
                           v                            |
    (no record) --queue--> queued --claim--> processing-+--complete--> success
         |                 ^                 ^  ^    |
         +------ claim ----|-----------------+  |    +--fail--> failed
                           |                    |               | |
                           |                    +---- claim ----+ |      only if its code is retryable
                           +----------------------- reset --------+

    processing --take over--> processing                                 only if its lease has expired

`claim` is the three arrows of that name and the takeover in one write, because only the table knows
which of them applies. A success is final. Completing, failing and releasing are fenced by the token of the claim: a
holder whose lease expired and was taken over changes nothing.

A caller reads "the condition did not hold" as: somebody else was first. That is expected, and never an error of AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stillframe.errors import CaptureError, retryable_codes
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import Delivery
from stillframe.table.attributes import (
    ATTEMPTS,
    CLAIM_TOKEN,
    CLAIMED_AT,
    ERROR_CODE,
    ERROR_MESSAGE,
    EXPIRES_AT,
    ID,
    INDEX_SHARD,
    LEASE_EXPIRES_AT,
    MESSAGE_ID,
    METADATA,
    OPTIONS,
    PAYLOAD_HASH,
    QUEUED_AT,
    STATUS,
    TENANT,
    TENANT_SHARD,
    UPDATED_AT,
    URL,
    WEBHOOK,
    WORKER_ID,
)
from stillframe.table.record import Record, Status, index_shard, tenant_shard
from stillframe.table.update import Update

IS_NEW = f"attribute_not_exists(#{ID})"
# A call that the SDK sends again may meet its own first effect, so completing twice with one token is no conflict.
IS_FENCED = f"#{CLAIM_TOKEN} = :token"


def queue(request: CaptureRequest, now_ms: int, retention_seconds: int) -> Update:
    """(no record) -> queued: what a producer writes before it sends the message."""
    return Update(
        condition=IS_NEW,
        set_values={
            STATUS: Status.QUEUED,
            URL: request.recorded_url,
            OPTIONS: request.recorded_options,
            PAYLOAD_HASH: request.payload_hash,
            **_origin(request, request.tenant),
            ATTEMPTS: 0,
            QUEUED_AT: now_ms,
            UPDATED_AT: now_ms,
            EXPIRES_AT: now_ms // 1000 + retention_seconds,
            INDEX_SHARD: index_shard(Status.QUEUED, request.id),
        },
    )


def claim(
    delivery: Delivery, *, token: str, worker_id: str, now_ms: int, lease_expires_at_ms: int, retention_seconds: int
) -> Update:
    """(no record) | queued | failed | processing -> processing: a claim, or the takeover of one.

    Won when there is no record; or when the record is of the same request and is queued, failed with a retryable
    code, or processing under a lease that has expired.
    """
    codes = {f":code{number}": code for number, code in enumerate(retryable_codes())}
    is_same_request = f"#{PAYLOAD_HASH} = :payload_hash"
    is_queued = f"#{STATUS} = :queued"
    # Not by a call of the claim that has failed: it may arrive when nobody is there any more to do the work.
    is_another = f"(attribute_not_exists(#{CLAIM_TOKEN}) OR #{CLAIM_TOKEN} <> :token)"
    is_retryable = f"(#{STATUS} = :failed AND #{ERROR_CODE} IN ({', '.join(codes)}) AND {is_another})"
    is_expired = f"(#{STATUS} = :processing AND #{LEASE_EXPIRES_AT} < :now)"
    return Update(
        condition=f"{IS_NEW} OR ({is_same_request} AND ({is_queued} OR {is_retryable} OR {is_expired}))",
        set_values={
            STATUS: Status.PROCESSING,
            URL: delivery.request.recorded_url,
            OPTIONS: delivery.request.recorded_options,
            PAYLOAD_HASH: delivery.request.payload_hash,
            **_origin(delivery.request, delivery.tenant),
            WORKER_ID: worker_id,
            MESSAGE_ID: delivery.message.message_id,
            CLAIM_TOKEN: token,
            LEASE_EXPIRES_AT: lease_expires_at_ms,
            CLAIMED_AT: now_ms,
            EXPIRES_AT: now_ms // 1000 + retention_seconds,
            # Those that a queued record has already: its entry in the index stays as it is.
            INDEX_SHARD: index_shard(Status.PROCESSING, delivery.id),
        },
        remove=(ERROR_CODE, ERROR_MESSAGE),
        set_expressions=(
            f"#{ATTEMPTS} = if_not_exists(#{ATTEMPTS}, :zero) + :one",
            f"#{QUEUED_AT} = if_not_exists(#{QUEUED_AT}, :sent_at)",
            f"#{UPDATED_AT} = if_not_exists(#{UPDATED_AT}, :now)",
        ),
        values={
            ":payload_hash": delivery.request.payload_hash,
            ":token": token,
            ":queued": Status.QUEUED,
            ":failed": Status.FAILED,
            ":processing": Status.PROCESSING,
            ":now": now_ms,
            ":sent_at": delivery.message.sent_at_ms,
            ":zero": 0,
            ":one": 1,
            **codes,
        },
    )


def _origin(request: CaptureRequest, tenant: str | None) -> dict[str, Any]:
    """The attributes that say where a request came from; empty if it does not say."""
    webhook = request.webhook.model_dump(mode="json") if request.webhook is not None else None
    shard = tenant_shard(tenant, request.id) if tenant else None
    values: dict[str, Any] = {TENANT: tenant, TENANT_SHARD: shard, METADATA: request.metadata, WEBHOOK: webhook}
    return {name: value for name, value in values.items() if value}


def complete(token: str, facts: Mapping[str, Any], now_ms: int) -> Update:
    """processing -> success, which leaves the index. `facts` are attributes of the record, by wire name."""
    return Update(
        condition=IS_FENCED,
        set_values={**facts, STATUS: Status.SUCCESS, UPDATED_AT: now_ms},
        remove=(LEASE_EXPIRES_AT, INDEX_SHARD, ERROR_CODE, ERROR_MESSAGE),
        values={":token": token},
    )


def complete_once(token: str, facts: Mapping[str, Any], now_ms: int) -> Update:
    """processing -> success, but not again: what was completed with other facts by the same token is kept."""
    update = complete(token, facts, now_ms)
    values = {**update.values, ":processing": Status.PROCESSING}
    return replace(update, condition=f"{IS_FENCED} AND #{STATUS} = :processing", values=values)


def fail(screenshot_id: str, token: str, facts: Mapping[str, Any], now_ms: int) -> Update:
    """processing -> failed. `facts` hold the error's code and message, by wire name."""
    return Update(
        condition=IS_FENCED,
        set_values={
            **facts,
            STATUS: Status.FAILED,
            UPDATED_AT: now_ms,
            INDEX_SHARD: index_shard(Status.FAILED, screenshot_id),
        },
        remove=(LEASE_EXPIRES_AT,),
        values={":token": token},
    )


def release(screenshot_id: str, token: str, cause: Exception | None, now_ms: int) -> Update:
    """processing -> queued, for the next delivery. The record keeps the cause, if it is one of ours."""
    error = {ERROR_CODE: cause.code, ERROR_MESSAGE: cause.message} if isinstance(cause, CaptureError) else {}
    return Update(
        condition=f"{IS_FENCED} AND #{STATUS} = :processing",
        set_values={**_queued_again(screenshot_id, now_ms), **error},
        remove=(LEASE_EXPIRES_AT, CLAIM_TOKEN),
        values={":token": token, ":processing": Status.PROCESSING},
    )


def reset(record: Record, now_ms: int) -> Update:
    """failed -> queued, permanent failures included, unless the record changed since it was read."""
    return Update(
        condition=f"#{STATUS} = :failed AND #{UPDATED_AT} = :seen",
        set_values=_queued_again(record.id, now_ms),
        remove=(CLAIM_TOKEN,),
        values={":failed": Status.FAILED, ":seen": record.updated_at},
    )


def _queued_again(screenshot_id: str, now_ms: int) -> dict[str, Any]:
    return {STATUS: Status.QUEUED, INDEX_SHARD: index_shard(Status.QUEUED, screenshot_id), UPDATED_AT: now_ms}


def change_nothing() -> Update:
    """An update whose condition cannot hold: it only shows whether this worker may update the table."""
    return Update(condition=f"attribute_exists(#{ID}) AND attribute_not_exists(#{ID})", set_values={UPDATED_AT: 0})
