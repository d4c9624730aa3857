"""An SQS batch: several records at once, each on its own, and only those that are not done are reported back."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from stillframe.clock import Clock
from stillframe.outcome import Outcome
from stillframe.request.event_record import read_record
from stillframe.request.message import Message

from ..health import WorkerHealth
from ..load.tabs import TabGate
from ..observability import Observer
from ..observers import Observers, shielded
from .capture import Capture
from .under_claim import InvocationContext

# A record without an id cannot be reported. Everything is delivered again then, and what is captured is skipped
# (AWS Lambda, "Reporting batch item failures": an empty identifier is a complete failure).
WHOLE_BATCH: PartialItemFailureResponse = {"batchItemFailures": [{"itemIdentifier": ""}]}


class NotAcknowledged(Exception):
    """Tells the batch processor that a record's message must stay on the queue."""


def process_in_tab(
    capture: Capture,
    health: WorkerHealth,
    tab: Callable[[], AbstractContextManager[None]],
    message: Message,
    context: InvocationContext,
) -> Outcome:
    """Wait for a tab, process one delivery, and tell the worker's health how it ended.

    If the worker cannot work, the message is handed back unclaimed. That is asked only when there is a tab: a message
    that waited must not meet a fault that others have met meanwhile.
    """
    with tab():
        if not health.may_work:
            return capture.return_untouched(message, health.reason)
        outcome = capture.process(message, context)
        health.observe(outcome)
        return outcome


class BatchHandler:
    """Handles events of an SQS event source mapping with ReportBatchItemFailures. Reentrant.

    While `health` says that the worker cannot work, messages are handed back unclaimed.
    """

    def __init__(
        self,
        capture: Capture,
        observers: Iterable[Observer],
        tabs: TabGate,
        clock: Clock,
        health: WorkerHealth | None = None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_end` is called when the observers have been told of every delivery of a batch."""
        self._capture = capture
        self._observe = Observers(observers)
        self._on_end = shielded(lambda _: on_end())
        self._health = health or WorkerHealth()
        self._clock = clock
        self._tabs = tabs
        # The batch processor itself would start all records at once.
        self._pool = ThreadPoolExecutor(max_workers=tabs.ceiling, thread_name_prefix="capture")

    def handle(self, event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        """Process a batch. Returns the ids of the messages that must be delivered again."""
        received_at_ms = self._clock.now_ms()
        nameless: list[Message] = []

        async def process_record(record: SQSRecord) -> Outcome:
            message = read_record(record.raw_event, received_at_ms)
            loop = asyncio.get_running_loop()
            process = functools.partial(process_in_tab, self._capture, self._health, self._tabs.acquire)
            outcome = await loop.run_in_executor(self._pool, process, message, context)
            self._observe(outcome)
            if outcome.acknowledge:
                return outcome
            if not message.message_id:
                nameless.append(message)
                return outcome
            raise NotAcknowledged(outcome.reason)

        # Without a model: a record that does not fit one would fail without an outcome.
        processor = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        response = async_process_partial_response(
            event=event, record_handler=process_record, processor=processor, context=context
        )
        self._on_end(None)
        return WHOLE_BATCH if nameless else response

    def stop(self) -> None:
        """Start no further capture: messages that have not started go back to other workers."""
        self._capture.stop()

    def close(self) -> None:
        """Wait for the captures in progress."""
        self._pool.shutdown()
