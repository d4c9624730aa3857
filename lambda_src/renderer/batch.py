"""An SQS batch: each record on its own, several at once, and only those that are not done reported back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from aws_lambda_powertools.utilities.typing import LambdaContext

from stillframe.clock import Clock
from stillframe.delivery import REDRIVEN_FROM, Message
from stillframe.outcome import Outcome

from .capture import Capture
from .observability import Observer


class CaptureRecord(SqsRecordModel):
    """The record of the event, with its body as text: a body that is no request must be set aside, not lost."""

    body: str

    def to_message(self, received_at_ms: int) -> Message:
        """Times in SQS attributes are milliseconds; the model has parsed them into datetimes."""
        return Message(
            body=self.body,
            message_id=self.messageId,
            receipt_handle=self.receiptHandle,
            receive_count=int(self.attributes.ApproximateReceiveCount),
            sent_at_ms=int(self.attributes.SentTimestamp.timestamp() * 1000),
            received_at_ms=received_at_ms,
            is_redriven=REDRIVEN_FROM in (self.messageAttributes or {}),
        )


class NotAcknowledged(Exception):
    """Tells the batch processor that a record's message must stay on the queue."""


class BatchHandler:
    """Handles events of an SQS event source mapping with ReportBatchItemFailures. Reentrant."""

    def __init__(self, capture: Capture, observers: Iterable[Observer], tabs: int, clock: Clock) -> None:
        self._capture = capture
        self._observers = tuple(observers)
        self._clock = clock
        # The pool is the bound on the tabs: the batch processor itself starts all records at once.
        self._pool = ThreadPoolExecutor(max_workers=tabs, thread_name_prefix="capture")

    def handle(self, event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        """Returns the ids of the messages that are to be delivered again."""
        received_at_ms = self._clock.now_ms()

        async def handle_record(record: CaptureRecord) -> Outcome:
            message = record.to_message(received_at_ms)
            loop = asyncio.get_running_loop()
            outcome = await loop.run_in_executor(self._pool, self._capture.handle, message, context)
            for observe in self._observers:
                observe(outcome)
            if not outcome.acknowledge:
                raise NotAcknowledged(outcome.reason)
            return outcome

        processor = AsyncBatchProcessor(
            event_type=EventType.SQS, model=CaptureRecord, raise_on_entire_batch_failure=False
        )
        return async_process_partial_response(
            event=event, record_handler=handle_record, processor=processor, context=context
        )

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown()
