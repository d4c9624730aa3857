"""Accepts requests from a caller who waits for the answer: each is checked, recorded and sent, or refused at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from stillframe.aws_errors import translated_errors
from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.egress.policy import check_scheme
from stillframe.errors import BlockedAddress, CallRefused, CaptureError, IdConflict, InvalidRequest
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message_limits import MAX_MESSAGE_BYTES
from stillframe.settings import Settings
from stillframe.table.attributes import CLAIMED_AT, PAYLOAD_HASH, STATUS, TENANT, UPDATED_AT
from stillframe.table.record import Status
from stillframe.tenants.namespace import Namespace

WRITERS = 8


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that has a record. `status` is what the record says.

    `fresh_until_ms` (milliseconds since the epoch) is when the window of a request with `freshFor` ends: from then on,
    an equal request is another screenshot. `age_seconds` is how long ago the capture of a success began.
    `needs_message` says whether a message is sent, because there may be none.
    """

    request: CaptureRequest
    status: Status
    fresh_until_ms: int | None = None
    age_seconds: int | None = None
    needs_message: bool = field(default=False, compare=False)


Answer = Accepted | CaptureError


class Intake:
    """Records requests and sends their messages.

    A request whose id has a record already is answered with that record's status. It gets another message only if the
    record is queued, because whoever wrote it may have ended before sending one, and a second message does no harm. A
    record that is being processed has its message, and a final one needs none.
    """

    def __init__(
        self,
        clients: Clients,
        settings: Settings,
        clock: Clock | None = None,
        new_pool: Callable[[], Executor] = lambda: ThreadPoolExecutor(WRITERS),
    ) -> None:
        self._clock = clock or SystemClock()
        self._producer = Producer(clients, settings, self._clock)
        self._new_pool = new_pool
        self._policy = settings.egress_policy

    def accept(
        self, requests: Sequence[CaptureRequest], namespace: Namespace | None = None, patience_ms: int = 0
    ) -> list[Answer]:
        """The answer to each request, in their order: accepted, or the error because of which it was not.

        Requests that a namespace has admitted get ids in it, and only its own records answer them. A record that was
        queued less than `patience_ms` ago gets no second message.
        """
        answers = list(self._record_all(requests, namespace, patience_ms))
        waiting = [answer.request for answer in answers if _needs_message(answer)]
        # By identity: two requests of one list may be equal.
        places = {id(answer.request): place for place, answer in enumerate(answers) if isinstance(answer, Accepted)}
        for request, error in self._send(waiting):
            answers[places[id(request)]] = error
        return answers

    def _record_all(
        self, requests: Sequence[CaptureRequest], namespace: Namespace | None, patience_ms: int
    ) -> Iterator[Answer]:
        record = functools.partial(self._record, namespace=namespace, patience_ms=patience_ms)
        if len(requests) == 1:
            yield record(requests[0])
            return
        with self._new_pool() as pool:
            yield from pool.map(record, requests)

    def _record(self, request: CaptureRequest, namespace: Namespace | None, patience_ms: int) -> Answer:
        now_ms = self._clock.now_ms()
        window = request.window(now_ms)
        fresh_until_ms = window.ends_ms if window is not None else None
        named = request.named(now_ms) if namespace is None else namespace.named(request, now_ms)
        try:
            check(named)
            self._check_webhook(named)
            written = self._producer.record(named)
        except CaptureError as error:
            return error
        if written.is_applied:
            return Accepted(named, Status.QUEUED, fresh_until_ms, needs_message=True)
        found: dict[str, Any] = written.item or {}
        is_foreign = namespace is not None and not namespace.owns(found.get(TENANT))
        if is_foreign or found.get(PAYLOAD_HASH) != named.payload_hash:
            return IdConflict.of(named.id)
        status = Status(found[STATUS])
        age_seconds = max(0, now_ms - found.get(CLAIMED_AT, now_ms)) // 1000 if status is Status.SUCCESS else None
        # Without patience, whoever has queued it, and whenever by a clock that may be ahead, gets no say.
        is_patient = patience_ms > 0 and now_ms - found.get(UPDATED_AT, 0) < patience_ms
        is_overdue = status is Status.QUEUED and not is_patient
        return Accepted(named, status, fresh_until_ms, age_seconds, needs_message=is_overdue)

    def _check_webhook(self, request: CaptureRequest) -> None:
        """A webhook has no record: one that could never be called is refused here, with what its URL tells."""
        if request.webhook is None:
            return
        try:
            self._policy.check_page(request.webhook.url)
        except BlockedAddress as error:
            raise InvalidRequest(f"webhook.url: {error.message.replace('the page is', 'is')}") from error

    def _send(self, requests: Sequence[CaptureRequest]) -> Iterator[tuple[CaptureRequest, CaptureError]]:
        """Send the messages, and yield those that were not sent. Their records stay queued until they come again."""
        left = {id(request): request for request in requests}
        try:
            with translated_errors("send message batch"):
                for request, result in self._producer.deliver(requests):
                    del left[id(request)]
                    if isinstance(result, CallRefused):
                        yield request, result
        except CaptureError as error:
            yield from ((request, error) for request in left.values())


def check(request: CaptureRequest) -> None:
    """Find out what can be known about a request without capturing it.

    Raises InvalidRequest or BlockedScheme, with the code and the message that its record would have.
    """
    request.render_options()
    check_scheme(urlsplit(request.url).scheme.lower())
    size = len(request.to_body().encode())
    if size > MAX_MESSAGE_BYTES:
        raise InvalidRequest(f"the request has {size:,} bytes, and a message of SQS at most {MAX_MESSAGE_BYTES:,}")


def _needs_message(answer: Answer) -> TypeGuard[Accepted]:
    return isinstance(answer, Accepted) and answer.needs_message
