"""One POST to a URL that somebody else has chosen: through the egress policy, without redirects, and bounded."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time

from stillframe.egress.connection import Dialer, Lookup, NotConnected, PinnedConnection, Target, describe_error, resolve
from stillframe.egress.policy import EgressPolicy

# "15 to 30 seconds" (Standard Webhooks, "Timeouts"): from the lookup of the name to the end of the answer's head.
TOTAL_SECONDS = 15.0
MAX_REASON_CHARS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver has answered. `retry_after` is in seconds."""

    status: int
    retry_after: float | None = None


class NotPosted(Exception):
    """There was no answer. `is_final` says that another attempt would not help; the message never names an address."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason[:MAX_REASON_CHARS]
        self.is_final = is_final


class Endpoint:
    """Posts to URLs. May be used from several threads."""

    def __init__(
        self,
        policy: EgressPolicy,
        lookup: Lookup = resolve,
        total_seconds: float = TOTAL_SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._dialer = Dialer(policy, lookup, context)
        self._total_seconds = total_seconds

    def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Post once. Raises NotPosted."""
        ends_at = time() + self._total_seconds
        try:
            connection = self._dialer.dial(Target.of(url), ends_at)
        except NotConnected as error:
            raise NotPosted(error.reason, is_final=error.is_final) from error
        return _exchange(connection, headers, content, ends_at)


def _exchange(connection: PinnedConnection, headers: Mapping[str, str], content: bytes, ends_at: float) -> Answer:
    """Send the request and read the head of the answer. Its body is of no use, and may be endless."""
    try:
        answer = connection.exchange("POST", headers, content, ends_at)
        return Answer(answer.status, _seconds(answer.headers.get("Retry-After")))
    except (OSError, http.client.HTTPException, ValueError) as error:
        is_late = connection.is_cut or isinstance(error, TimeoutError)
        raise NotPosted("no answer in time" if is_late else f"no answer: {describe_error(error)}") from error
    finally:
        connection.end()


def _seconds(retry_after: str | None) -> float | None:
    """The seconds that a Retry-After asks for (RFC 9110, 10.2.3), or None for what is none."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, OverflowError):
        return None
