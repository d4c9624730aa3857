"""How a message is processed: parse, claim, render, store, complete; then decide what becomes of the message.

Synchronous on purpose: the idempotency utility drives synchronous functions, and with every effect behind a port
(claim, job, queue, clock) the whole path can be stepped through deterministically.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stillframe.aws_times import tracked_aws_times
from stillframe.clock import Clock, Deadline
from stillframe.errors import (
    CaptureError,
    ClaimHeld,
    HostBusy,
    IdConflict,
    OutOfTime,
    PermanentError,
    TransientError,
    UnexpectedError,
    UnparsableBody,
    UnreadableRecord,
    WorkerFault,
)
from stillframe.outcome import Outcome, OutcomeKind, SkipReason
from stillframe.queue import Backoff, CaptureQueue
from stillframe.request.message import Delivery, Message
from stillframe.settings import Settings
from stillframe.table.claim import Claim
from stillframe.table.host_limit import HostLimit
from stillframe.table.record import Record, Status
from stillframe.table.wait_count import WaitCounts
from stillframe.worker_faults import worker_fault

from ..load.metering import Account, Meter
from .job import Job, JobResult
from .under_claim import InvocationContext, run_under_claim

logger = logging.getLogger(__name__)

# The time reserved at the end of a job to store and complete, and the time that must be left to start one.
FINISH_SECONDS = 1.0
MIN_START_SECONDS = 2.0
# How often a message may be replaced by a copy because of a worker's fault at its last receive. What a worker takes for
# its own fault might be the message's after all, and such a message must end. Lambda stops a function that sends to its
# own queue after 16 generations (AWS Lambda, "Recursive loop detection").
MAX_SPARED = 10


class Capture:
    """Turns a message into its outcome. Never raises: whatever happens is an outcome."""

    def __init__(
        self,
        settings: Settings,
        new_claim: Callable[[Delivery], Claim],
        new_job: Callable[[Delivery, Claim, Deadline, Account], Job],
        queue: CaptureQueue,
        backoff: Backoff,
        clock: Clock,
        meter: Meter,
        host_limit: HostLimit,
        wait_counts: WaitCounts,
    ) -> None:
        self._settings = settings
        self._new_claim = new_claim
        self._new_job = new_job
        self._queue = queue
        self._backoff = backoff
        self._clock = clock
        self._meter = meter
        self._host_limit = host_limit
        self._wait_counts = wait_counts
        self._is_stopping = False

    def process(self, message: Message, context: InvocationContext) -> Outcome:
        """Process one delivery. Delete the message exactly when the outcome says that it is acknowledged."""
        started_ms = self._clock.now_ms()
        # Until the body is parsed, the message's own id is all there is to name it by.
        screenshot_id, url, tenant = message.message_id, "", message.group_id
        with tracked_aws_times(self._clock) as times, self._meter.account() as account:
            try:
                if self._is_stopping:
                    raise OutOfTime("the worker is stopping; another one takes the message")
                delivery = Delivery.parse(message)
                screenshot_id, url, tenant = delivery.id, delivery.request.recorded_url, delivery.tenant
                outcome = self._capture(delivery, context, account)
            except Exception as error:
                outcome = self._end_with(message, screenshot_id, error)
        spent: Any = {"duration_ms": self._clock.now_ms() - started_ms, "aws_ms": times.ms, "cost": account.cost}
        return replace(outcome, id=screenshot_id, url=url, tenant=tenant, **spent)

    def return_untouched(self, message: Message, reason: str) -> Outcome:
        """Hand a message back without a claim, because this worker cannot work. Never raises."""
        with tracked_aws_times(self._clock) as times, self._meter.account() as account:
            outcome = self._hand_back(message, WorkerFault(f"this worker is unhealthy: {reason}"))
        return replace(outcome, id=message.message_id, tenant=message.group_id, aws_ms=times.ms, cost=account.cost)

    def stop(self) -> None:
        """Start nothing more: from now on messages are handed back untouched, for other workers to take at once."""
        self._is_stopping = True

    def _capture(self, delivery: Delivery, context: InvocationContext, account: Account) -> Outcome:
        deadline = self._deadline(context)
        lease_ms = int(deadline.remaining_seconds() * 1000) + self._settings.lease_margin_ms
        with self._host_limit.slot(delivery.request.url, lease_ms):
            # Taking the slot may have taken long: a claim now would outlast the message's visibility.
            _check_time(deadline.remaining_seconds() + FINISH_SECONDS)
            claim = self._new_claim(delivery)
            job = self._new_job(delivery, claim, deadline, account)
            if not run_under_claim(claim, delivery, context, job.run):
                assert claim.found is not None
                return self._skip(delivery, claim.found)
        assert job.result is not None
        return self._conclude(delivery, claim, job.result)

    def _deadline(self, context: InvocationContext) -> Deadline:
        """The job's own deadline, inside the invocation's. Raises OutOfTime before anything was touched."""
        remaining = context.get_remaining_time_in_millis() / 1000
        _check_time(remaining)
        seconds = min(self._settings.job_deadline_seconds, remaining) - FINISH_SECONDS
        return Deadline(self._clock.now_ms() + int(seconds * 1000), self._clock)

    def _conclude(self, delivery: Delivery, claim: Claim, result: JobResult) -> Outcome:
        """The outcome of a job that has ended, and whose end is recorded."""
        if isinstance(result.end, CaptureError):
            is_done = isinstance(result.end, PermanentError) or self._give_up(delivery.message)
            outcome = Outcome.refusal(delivery.message, OutcomeKind.FAILED, result.end, acknowledge=is_done)
        else:
            outcome = replace(
                Outcome.of(delivery.message, OutcomeKind.CAPTURED, acknowledge=True),
                image=result.end.image,
                adopted=result.end.is_adopted,
                render_ms=result.end.render_ms,
                latency_ms=max(0, self._clock.now_ms() - delivery.message.sent_at_ms),
            )
        return replace(
            outcome,
            attempts=claim.attempts,
            claim_age_ms=claim.claimed_at_ms - delivery.message.sent_at_ms,
            is_takeover=claim.is_takeover,
        )

    def _end_with(self, message: Message, screenshot_id: str, error: Exception) -> Outcome:
        """The outcome of a delivery whose job did not run to its end. Never raises."""
        try:
            if isinstance(error, UnparsableBody | UnreadableRecord | IdConflict):
                return self._dead_letter(message, error)
            if isinstance(error, HostBusy):
                return self._postpone(message, error)
            if isinstance(error, TransientError):
                return self._hand_back(message, error)
            fault = worker_fault(error)
            if fault is None:
                logger.error("unexpected error", exc_info=error, extra={"id": screenshot_id})
            return self._hand_back(message, fault or _unexpected(error))
        except Exception as second:
            # The message comes back after its visibility timeout.
            logger.exception("unexpected error", extra={"id": screenshot_id})
            return Outcome.refusal(message, OutcomeKind.RETRY, _unexpected(second), acknowledge=False)

    def _skip(self, delivery: Delivery, found: Record) -> Outcome:
        """A duplicate is acknowledged, unless its message may be the one that guarantees the job in progress."""
        now = self._clock.now_ms()
        if found.status is Status.PROCESSING and self._may_guarantee(delivery.message, found):
            # The margin again, so that the lease has expired by every worker's clock.
            lease_ms = max(0, (found.lease_expires_at or now) - now) + self._settings.lease_margin_ms
            raise ClaimHeld("this message may be the only one left if the claim's holder dies", lease_ms // 1000 + 1)
        return replace(
            Outcome.of(delivery.message, OutcomeKind.SKIPPED, acknowledge=True),
            reason=SkipReason.of(found, delivery.message.received_at_ms).value,
            s3_url=found.s3_url,
            winner=found.worker_id,
            claim_age_ms=now - found.claimed_at if found.claimed_at else None,
        )

    def _may_guarantee(self, message: Message, found: Record) -> bool:
        """Whether the screenshot may be lost without this message, should the holder die.

        A message that ever won the claim stays until the record is final: it is the reason why others could be
        acknowledged. Only at its first receive can a message be known never to have won it.
        """
        return message.may_have_held or found.message_id == message.message_id

    def _hand_back(self, message: Message, error: TransientError) -> Outcome:
        """Not acknowledged: the message comes back after a backoff.

        After the last receive it would go to the dead-letter queue instead, from where it may be brought back as
        another message. So it is left alone, and goes there after its visibility timeout, when no lease that was taken
        on its account can still be running. What is not its own fault costs it no receive: it is replaced by a copy.
        """
        seconds = self._backoff.seconds(message.receive_count)
        if not message.is_last(self._settings.max_receive_count):
            if isinstance(error, ClaimHeld):
                seconds = max(seconds, error.seconds)
            elif self._is_stopping:
                seconds = 0
            self._queue.delay(message.receipt_handle, seconds)
        elif isinstance(error, WorkerFault) and message.spared < MAX_SPARED and message.has_room_for_copy:
            return self._spare(message, error, seconds)
        return Outcome.refusal(message, OutcomeKind.RETRY, error, acknowledge=False)

    def _postpone(self, message: Message, error: HostBusy) -> Outcome:
        """Replace the message by a copy that comes later, with the same chance as any other.

        A message without room for the attributes of a copy is handed back instead, which uses up a receive.
        """
        if not message.has_room_for_copy:
            return self._hand_back(message, error)
        try:
            if self._wait_counts.is_newest(message):
                self._queue.postpone(message, self._host_limit.wait_seconds(message.waits))
                self._wait_counts.count(message)
        except TransientError as unavailable:
            return self._hand_back(message, unavailable)
        return Outcome.refusal(message, OutcomeKind.RETRY, error, acknowledge=True)

    def _spare(self, message: Message, error: WorkerFault, seconds: int) -> Outcome:
        """Replace the message by a copy that comes later, and whose receives begin anew.

        Unlike a wait for a host, this must work without the table, which may be what the worker cannot reach: there may
        be one copy too many then, a duplicate like any other. If the queue cannot be reached either, the message goes
        to the dead-letter queue in time, and a redrive brings it back.
        """
        try:
            if self._may_be_newest(message):
                self._queue.spare(message, seconds)
        except TransientError as unavailable:
            logger.warning("a message could not be spared its last receive", extra={"error": unavailable.message})
            return Outcome.refusal(message, OutcomeKind.RETRY, error, acknowledge=False)
        with contextlib.suppress(TransientError):
            self._wait_counts.count(message)
        return Outcome.refusal(message, OutcomeKind.RETRY, error, acknowledge=True)

    def _may_be_newest(self, message: Message) -> bool:
        try:
            return self._wait_counts.is_newest(message)
        except TransientError:
            return True

    def _give_up(self, message: Message) -> bool:
        """Move a message that failed at its last receive to the dead-letter queue. Returns whether to acknowledge it.

        SQS moves it by itself once it has delivered it often enough. It never does without a redrive policy, and too
        late for a copy, whose earlier receives it does not know.
        """
        settings = self._settings
        if settings.has_redrive_policy and message.is_given_up_by_queue(settings.max_receive_count):
            return False
        try:
            self._queue.give_up(message)
        except TransientError as error:
            logger.warning("could not move a message to the dead-letter queue", extra={"error": error.message})
            return False
        return True

    def _dead_letter(self, message: Message, error: CaptureError) -> Outcome:
        """Move the message to the dead-letter queue with its reason: it has no record of its own to fail."""
        try:
            self._queue.dead_letter(message, error)
        except TransientError as unavailable:
            return self._hand_back(message, unavailable)
        return Outcome.refusal(message, OutcomeKind.FAILED, error, acknowledge=True)


def _unexpected(error: Exception) -> UnexpectedError:
    return UnexpectedError(f"{type(error).__name__}: {error}")


def _check_time(remaining_seconds: float) -> None:
    if remaining_seconds < MIN_START_SECONDS:
        raise OutOfTime(f"only {remaining_seconds:.1f} s of the invocation are left")
