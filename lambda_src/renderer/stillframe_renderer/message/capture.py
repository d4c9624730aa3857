"""The way of one message: claim, render, store, complete; and what becomes of the message.

Synchronous on purpose: the idempotency utility drives synchronous functions, and with every effect behind
a port (claim, work, queue, clock) the whole way can be stepped through deterministically.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from stillframe.clock import Clock, Deadline
from stillframe.errors import (
    CaptureError,
    ClaimHeld,
    HostBusy,
    IdConflict,
    OutOfTime,
    PermanentError,
    ServiceUnavailable,
    TransientError,
    UnexpectedError,
    UnparsableBody,
)
from stillframe.outcome import Outcome, OutcomeKind, SkipReason
from stillframe.queue import Backoff, CaptureQueue
from stillframe.request.message import Delivery, Message
from stillframe.settings import Settings
from stillframe.table.claim import Claim
from stillframe.table.host_limit import HostLimit, Slot
from stillframe.table.record import Record, Status
from stillframe.table.wait_count import WaitCounts

from ..load.metering import Meter
from .job import CaptureResult, Work
from .under_claim import InvocationContext, under_claim

logger = logging.getLogger(__name__)

# Kept free at the end of a job to store and complete, and asked for before one is begun.
FINISH_SECONDS = 1.0
START_SECONDS = 2.0


class Capture:
    """Takes a message to its outcome. Never raises: whatever happens is an outcome."""

    def __init__(
        self,
        settings: Settings,
        claim_for: Callable[[Delivery], Claim],
        work: Work,
        queue: CaptureQueue,
        backoff: Backoff,
        clock: Clock,
        meter: Meter,
        slots: HostLimit,
        turns: WaitCounts,
    ) -> None:
        self._settings = settings
        self._claim_for = claim_for
        self._work = work
        self._queue = queue
        self._backoff = backoff
        self._clock = clock
        self._meter = meter
        self._slots = slots
        self._turns = turns
        self._is_stopping = False

    def handle(self, message: Message, context: InvocationContext) -> Outcome:
        """Work on one delivery. The message is to be deleted exactly when the outcome is acknowledged."""
        started_ms = self._clock.now_ms()
        outcome = _unknown(message)
        if self._is_stopping:
            return self._hand_back(message, OutOfTime("the worker stops, another one takes it"), outcome)
        try:
            delivery = Delivery.of(message)
            outcome = replace(outcome, id=delivery.id, url=delivery.request.recorded_url)
            outcome = self._deliver(delivery, context, outcome)
        except (UnparsableBody, IdConflict) as error:
            outcome = self._set_aside(message, error, outcome)
        except HostBusy as error:
            outcome = self._postpone(message, error, outcome)
        except TransientError as error:
            outcome = self._hand_back(message, error, outcome)
        except Exception as error:
            logger.exception("unexpected error", extra={"id": outcome.id})
            outcome = self._hand_back(message, UnexpectedError(f"{type(error).__name__}: {error}"), outcome)
        return replace(outcome, duration_ms=self._clock.now_ms() - started_ms)

    def stop(self) -> None:
        """Begin nothing any more: from now on messages are handed back untouched, for other workers to take at once."""
        self._is_stopping = True

    def _deliver(self, delivery: Delivery, context: InvocationContext, outcome: Outcome) -> Outcome:
        deadline = self._deadline(context)
        lease_ms = int(deadline.remaining_seconds() * 1000) + self._settings.lease_margin_ms
        slot = self._slots.take(delivery.request.url, lease_ms)
        try:
            # The slot may have been long in coming: a claim now would outlast the message's visibility.
            _check_time(deadline.remaining_seconds() + FINISH_SECONDS)
            return self._deliver_in_time(delivery, context, deadline, outcome)
        finally:
            self._release(slot)

    def _deliver_in_time(
        self, delivery: Delivery, context: InvocationContext, deadline: Deadline, outcome: Outcome
    ) -> Outcome:
        started_ms = self._clock.now_ms()
        claim = self._claim_for(delivery)
        product = CaptureResult()

        def work() -> dict[str, object]:
            nonlocal product
            with self._meter.account() as account:
                product = self._work.do(delivery, claim, deadline)
            product = replace(product, cost=account.cost)
            return product.to_result(self._clock.now_ms() - started_ms)

        if under_claim(claim, delivery, context, work):
            return self._conclude(delivery, claim, product, outcome)
        assert claim.found is not None
        return self._skip(delivery, claim.found, outcome)

    def _release(self, slot: Slot | None) -> None:
        """Best effort: otherwise its lease ends it, and what was captured is captured."""
        try:
            self._slots.release(slot)
        except ServiceUnavailable as error:
            logger.warning("could not release a slot of the host", extra={"error": error.message})

    def _deadline(self, context: InvocationContext) -> Deadline:
        """The job's own, inside the invocation's. Raises OutOfTime, before anything was touched."""
        remaining = context.get_remaining_time_in_millis() / 1000
        _check_time(remaining)
        seconds = min(self._settings.job_deadline_seconds, remaining) - FINISH_SECONDS
        return Deadline(self._clock.now_ms() + int(seconds * 1000), self._clock)

    def _conclude(self, delivery: Delivery, claim: Claim, product: CaptureResult, outcome: Outcome) -> Outcome:
        """The outcome of work that was done and recorded."""
        outcome = replace(
            outcome,
            attempts=claim.attempts,
            claim_age_ms=claim.claimed_at_ms - delivery.message.sent_at_ms,
            artifact=product.artifact,
            adopted=product.adopted,
            took_over=claim.took_over,
            render_ms=product.render_ms,
            cost=product.cost,
        )
        if product.error is None:
            return outcome
        failed = _failed(outcome, OutcomeKind.FAILED, product.error)
        # After its last receive a message is left for SQS to move to the dead-letter queue.
        return replace(failed, acknowledge=isinstance(product.error, PermanentError))

    def _skip(self, delivery: Delivery, found: Record, outcome: Outcome) -> Outcome:
        """A duplicate. It is acknowledged unless it may be the message that guarantees the work under way."""
        now = self._clock.now_ms()
        if found.status is Status.PROCESSING and self._may_guarantee(delivery.message, found):
            # The margin again, so that it is over by every worker's clock.
            lease_ms = max(0, (found.lease_expires_at or now) - now) + self._settings.lease_margin_ms
            lease_seconds = lease_ms // 1000 + 1
            raise ClaimHeld("this message may be all that is left if the holder of the claim dies", lease_seconds)
        reason = _skip_reason(found, delivery.message.received_at_ms)
        return replace(
            outcome,
            kind=OutcomeKind.SKIPPED,
            reason=reason.value,
            s3_url=found.s3_url,
            winner=found.worker_id,
            claim_age_ms=now - found.claimed_at if found.claimed_at else None,
        )

    def _may_guarantee(self, message: Message, found: Record) -> bool:
        """Whether the work may be lost without this message, should the holder die.

        A message on whose account the claim was ever won stays until the record is final: it is why others
        could be acknowledged. Only at its first receive can a message be known to be none of those.
        """
        return message.may_have_held or found.message_id == message.message_id

    def _hand_back(self, message: Message, error: TransientError, outcome: Outcome) -> Outcome:
        """Not acknowledged: the message comes back after a back-off.

        After the last receive it would come to the dead-letter queue instead, and may be brought back from
        there as another one. It does so after its visibility timeout, when no lease on its account still runs.
        """
        if not message.is_last(self._settings.max_receive_count):
            seconds = self._backoff.seconds(message.receive_count)
            if isinstance(error, ClaimHeld):
                seconds = max(seconds, error.seconds)
            elif self._is_stopping:
                seconds = 0
            self._queue.delay(message.receipt_handle, seconds)
        return replace(_failed(outcome, OutcomeKind.RETRY, error), acknowledge=False)

    def _postpone(self, message: Message, error: HostBusy, outcome: Outcome) -> Outcome:
        """Its copy comes later, with the same right to be taken as any other; the original is done with."""
        try:
            if self._turns.is_newest(message):
                self._queue.postpone(message, self._slots.turn_seconds(message.postponed))
                self._turns.advance(message)
        except ServiceUnavailable as unavailable:
            return self._hand_back(message, unavailable, outcome)
        return _failed(outcome, OutcomeKind.RETRY, error)

    def _set_aside(self, message: Message, error: CaptureError, outcome: Outcome) -> Outcome:
        """To the dead-letter queue with its reason: there is no record of its own to fail."""
        try:
            self._queue.dead_letter(message.body, message.message_id, error)
        except ServiceUnavailable as unavailable:
            return self._hand_back(message, unavailable, outcome)
        return _failed(outcome, OutcomeKind.FAILED, error)


def _check_time(seconds: float) -> None:
    """Raises OutOfTime when too little is left to begin."""
    if seconds < START_SECONDS:
        raise OutOfTime(f"only {seconds:.1f} s of the invocation are left")


def _skip_reason(found: Record, received_at_ms: int) -> SkipReason:
    if found.status is Status.SUCCESS:
        return SkipReason.ALREADY_SUCCESS
    if found.status is Status.FAILED:
        return SkipReason.ALREADY_FAILED
    # The winner claimed after this worker had its message: without the claim both would have rendered.
    if (found.claimed_at or 0) >= received_at_ms:
        return SkipReason.RACE_CONDITION_PREVENTED
    return SkipReason.ALREADY_PROCESSING


def _unknown(message: Message) -> Outcome:
    """Of a message whose body was not read yet."""
    return Outcome(
        kind=OutcomeKind.CAPTURED,
        acknowledge=True,
        id=message.message_id,
        url="",
        message_id=message.message_id,
        receive_count=message.receive_count,
    )


def _failed(outcome: Outcome, kind: OutcomeKind, error: CaptureError) -> Outcome:
    return replace(outcome, kind=kind, reason=error.code, error_code=error.code, error_message=error.message)
