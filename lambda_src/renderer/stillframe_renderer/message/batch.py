"""An SQS batch: each record on its own, several at once, and only those that are not done reported back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.parser.models import SqsMsgAttributeModel, SqsRecordModel
from aws_lambda_powertools.utilities.typing import LambdaContext

from stillframe.clock import Clock
from stillframe.outcome import Outcome
from stillframe.request.message import FIRST_MESSAGE_ID, POSTPONED, RECEIVED_BEFORE, REDRIVEN_FROM, Message

from ..load.tabs import Tabs
from ..observability import Observer
from .capture import Capture

MOST = 1_000_000


class CaptureRecord(SqsRecordModel):
    """The record of the event, with its body as text: a body that is no request must be set aside, not lost."""

    body: str

    def to_message(self, received_at_ms: int) -> Message:
        """Times in SQS attributes are milliseconds; the model has parsed them into datetimes."""
        told = self.messageAttributes or {}
        return Message(
            body=self.body,
            message_id=self.messageId,
            receipt_handle=self.receiptHandle,
            receive_count=int(self.attributes.ApproximateReceiveCount) + _number(told.get(RECEIVED_BEFORE)),
            sent_at_ms=int(self.attributes.SentTimestamp.timestamp() * 1000),
            received_at_ms=received_at_ms,
            is_redriven=REDRIVEN_FROM in told,
            postponed=_number(told.get(POSTPONED)),
            first_message_id=_text(told.get(FIRST_MESSAGE_ID)),
            group_id=self.attributes.MessageGroupId,
        )


def _text(attribute: SqsMsgAttributeModel | None) -> str:
    return (attribute.stringValue or "") if attribute is not None else ""


def _number(attribute: SqsMsgAttributeModel | None) -> int:
    """Of an attribute that anybody may have set: 0 when it is no number."""
    text = _text(attribute)
    return min(int(text), MOST) if text.isascii() and text.isdigit() else 0


class NotAcknowledged(Exception):
    """Tells the batch processor that a record's message must stay on the queue."""


class BatchHandler:
    """Handles events of an SQS event source mapping with ReportBatchItemFailures. Reentrant."""

    def __init__(self, capture: Capture, observers: Iterable[Observer], tabs: Tabs, clock: Clock) -> None:
        self._capture = capture
        self._observers = tuple(observers)
        self._clock = clock
        self._tabs = tabs
        # The batch processor itself starts all records at once.
        self._pool = ThreadPoolExecutor(max_workers=tabs.ceiling, thread_name_prefix="capture")

    def handle(self, event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        """Returns the ids of the messages that are to be delivered again."""
        received_at_ms = self._clock.now_ms()

        async def handle_record(record: CaptureRecord) -> Outcome:
            message = record.to_message(received_at_ms)
            loop = asyncio.get_running_loop()
            outcome = await loop.run_in_executor(self._pool, self._capture_one, message, context)
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

    def _capture_one(self, message: Message, context: LambdaContext) -> Outcome:
        with self._tabs.one():
            return self._capture.handle(message, context)

    def stop(self) -> None:
        """Begin no capture any more: what has not begun is given back to other workers."""
        self._capture.stop()

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown()
