"""One batch of deliveries in one process: all at once, and then what is done is deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import UnexpectedError
from stillframe.request.message import Message
from stillframe_renderer.message.capture import Capture

from .scheduler import Defect, Process, Scheduler, SkewedClock
from .surroundings import Surroundings

# A batch may have more records than the worker has tabs.
WAIT_PROBABILITY = 0.03
LONGEST_WAIT_MS = 70_000
# Errors that no fault of the surroundings causes.
DEFECTS = ("TypeError", "AttributeError")


@dataclass(frozen=True)
class Context:
    """The time that an invocation has left, in true time: it is counted by the platform."""

    scheduler: Scheduler
    ends_ms: int
    job_ms: int

    def get_remaining_time_in_millis(self) -> int:
        return max(0, min(self.job_ms, self.ends_ms - self.scheduler.now_ms))


class Batch:
    """One batch of deliveries in one process: all at once, and then what is done is deleted."""

    def __init__(
        self,
        around: Surroundings,
        process: Process,
        deleter: Process,
        deliveries: list[dict[str, Any]],
        context: Context,
        ended: Callable[[], None],
    ) -> None:
        self._around = around
        self._deleter = deleter
        self._ended = ended
        self._failed = False
        self._open = len(deliveries)
        self._done: list[str] = []
        capture = around.capture(process)
        for delivery in deliveries:
            message = _message(delivery, SkewedClock(around.scheduler, process).now_ms())
            name = f"{process.name}/{message.message_id}.{message.receive_count}"
            run = self._runner(capture, message, context)
            task = around.scheduler.spawn(process, name, run)
            task.received_ms = around.scheduler.now_ms

    def _runner(self, capture: Capture, message: Message, context: Context) -> Callable[[], None]:
        def run() -> None:
            scheduler = self._around.scheduler
            if scheduler.rng.random() < WAIT_PROBABILITY:
                scheduler.tell(scheduler.current.name, "waits for a tab")
                scheduler.sleep(scheduler.rng.randint(0, LONGEST_WAIT_MS))
            if self._around.parts.acknowledge_first:
                self._delete(message.receipt_handle)
            try:
                outcome = capture.process(message, context)
            except asyncio.CancelledError:
                # The batch processor lets it through: the invocation fails, and nothing is deleted.
                self._failed = True
            except Exception as error:
                self._check_defect(f"{type(error).__name__}: {error}")
                self._around.raised(error)
            else:
                if outcome.error_code == UnexpectedError.code:
                    self._check_defect(outcome.error_message or "")
                scheduler.tell(scheduler.current.name, f"= {outcome.kind} {outcome.reason or ''}".rstrip())
                if outcome.acknowledge:
                    self._done.append(message.receipt_handle)
            self._open -= 1
            if not self._open and scheduler.current.process.alive:
                self._end()

        return run

    def _check_defect(self, problem: str) -> None:
        if problem.startswith(DEFECTS):
            self._around.scheduler.failure = Defect(problem)
            raise self._around.scheduler.failure

    def _end(self) -> None:
        process = self._around.scheduler.current.process
        # A function that has answered is frozen: its time-out is no longer anybody's business.
        process.alive = not process.is_bounded
        if self._done and not self._failed:
            self._around.scheduler.spawn(self._deleter, f"{self._deleter.name}/delete", self._delete_all)
        else:
            self._ended()

    def _delete_all(self) -> None:
        for handle in self._done:
            self._delete(handle)
        self._ended()

    def _delete(self, handle: str) -> None:
        sqs = self._around.clients(self._deleter).sqs
        try:
            sqs.delete_message(QueueUrl=self._around.settings.queue_url, ReceiptHandle=handle)
        except (ClientError, BotoCoreError):
            self._around.scheduler.tell(self._deleter.name, f"could not delete {handle}")


def _message(delivery: dict[str, Any], now_ms: int) -> Message:
    return Message.received(
        body=delivery["Body"],
        message_id=delivery["MessageId"],
        receipt_handle=delivery["ReceiptHandle"],
        receive_count=int(delivery["Attributes"]["ApproximateReceiveCount"]),
        sent_at_ms=int(delivery["Attributes"]["SentTimestamp"]),
        received_at_ms=now_ms,
        attributes={name: each["StringValue"] for name, each in delivery["MessageAttributes"].items()},
    )
