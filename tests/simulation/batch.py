"""One batch of deliveries in one process: all are handled at once; the acknowledged ones are deleted afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import UnexpectedError
from stillframe.outcome import Outcome
from stillframe.request.event_record import read_record, record_attributes
from stillframe.request.message import Message
from stillframe_renderer.health import WorkerHealth
from stillframe_renderer.message.batch import process_in_tab
from stillframe_renderer.message.capture import Capture

from .scheduler import Defect, Process, Scheduler, SkewedClock
from .surroundings import Surroundings

# How often a record waits for a tab: a batch may have more records than the worker has tabs.
WAIT_PROBABILITY = 0.03
MAX_WAIT_MS = 70_000
# A message whose record is not what Lambda promises.
UNREADABLE_BODY = "unreadable"
OBSERVER_FAILURES = 0.02
# Errors that are never caused by the surroundings.
DEFECTS = ("TypeError", "AttributeError")


@dataclass(frozen=True)
class Context:
    """The remaining time of an invocation, in true time, because the platform measures it."""

    scheduler: Scheduler
    ends_ms: int
    job_ms: int

    def get_remaining_time_in_millis(self) -> int:
        return max(0, min(self.job_ms, self.ends_ms - self.scheduler.now_ms))


class Batch:
    """One batch of deliveries in one process: all are handled at once; the acknowledged ones are deleted afterwards."""

    def __init__(
        self,
        surroundings: Surroundings,
        process: Process,
        deleter: Process,
        deliveries: list[dict[str, Any]],
        context: Context,
        health: WorkerHealth,
        on_end: Callable[[], None],
    ) -> None:
        self._surroundings = surroundings
        self._health = health
        self._observe = surroundings.parts.observers([self._watch])
        self._deleter = deleter
        self._on_end = on_end
        self._failed = False
        self._open = len(deliveries)
        self._done: list[str] = []
        capture = surroundings.capture(process)
        for delivery in deliveries:
            message = read_record(_record(delivery), SkewedClock(surroundings.scheduler, process).now_ms())
            name = f"{process.name}/{message.message_id}.{message.receive_count}"
            run = self._runner(capture, message, context)
            task = surroundings.scheduler.spawn(process, name, run)
            task.received_ms = surroundings.scheduler.now_ms

    def _runner(self, capture: Capture, message: Message, context: Context) -> Callable[[], None]:
        def run() -> None:
            scheduler = self._surroundings.scheduler
            if scheduler.rng.random() < WAIT_PROBABILITY:
                scheduler.log(scheduler.current.name, "waits for a tab")
                scheduler.sleep(scheduler.rng.randint(0, MAX_WAIT_MS))
            if self._surroundings.parts.acknowledge_first:
                self._delete(message.receipt_handle)
            try:
                outcome = process_in_tab(capture, self._health, contextlib.nullcontext, message, context)
            except asyncio.CancelledError:
                # The batch processor does not catch it: the invocation fails, and nothing is deleted.
                self._failed = True
            except Exception as error:
                self._check_defect(f"{type(error).__name__}: {error}")
                self._surroundings.invariants.raised(error)
            else:
                if outcome.error_code == UnexpectedError.code:
                    self._check_defect(outcome.error_message or "")
                scheduler.log(scheduler.current.name, f"= {outcome.kind} {outcome.reason or ''}".rstrip())
                self._tell_observers(outcome)
                if outcome.acknowledge:
                    self._done.append(message.receipt_handle)
            self._open -= 1
            if not self._open and scheduler.current.process.alive:
                self._end()

        return run

    def _tell_observers(self, outcome: Outcome) -> None:
        self._surroundings.invariants.ended(self._surroundings.scheduler.current.process, outcome)
        try:
            self._observe(outcome)
        except OSError as error:
            self._surroundings.invariants.observer_decided(error)

    def _watch(self, outcome: Outcome) -> None:
        """An observer whose disk is full at times."""
        if self._surroundings.scheduler.rng.random() < OBSERVER_FAILURES:
            raise OSError("No space left on device")

    def _check_defect(self, problem: str) -> None:
        if problem.startswith(DEFECTS):
            self._surroundings.scheduler.failure = Defect(problem)
            raise self._surroundings.scheduler.failure

    def _end(self) -> None:
        process = self._surroundings.scheduler.current.process
        # A function that has returned is frozen: its timeout no longer applies.
        process.alive = not process.is_bounded
        if self._done and not self._failed:
            self._surroundings.scheduler.spawn(self._deleter, f"{self._deleter.name}/delete", self._delete_all)
        else:
            self._on_end()

    def _delete_all(self) -> None:
        for handle in self._done:
            self._delete(handle)
        self._on_end()

    def _delete(self, handle: str) -> None:
        sqs = self._surroundings.clients(self._deleter).sqs
        try:
            sqs.delete_message(QueueUrl=self._surroundings.settings.queue_url, ReceiptHandle=handle)
        except (ClientError, BotoCoreError):
            self._surroundings.scheduler.log(self._deleter.name, f"could not delete {handle}")


def _record(delivery: dict[str, Any]) -> dict[str, Any]:
    """The record that Lambda or the poller makes of a message. That of an unreadable one has no body as text."""
    body = delivery["Body"]
    return {
        "messageId": delivery["MessageId"],
        "receiptHandle": delivery["ReceiptHandle"],
        "body": {"text": body} if body == UNREADABLE_BODY else body,
        "attributes": delivery["Attributes"],
        "messageAttributes": record_attributes(delivery["MessageAttributes"]),
    }
