"""Plausible mistakes that the simulation must catch: the code under test, with one part replaced.

Each names the promise that it must break. A mistake that fails for another reason (such as a method called with a
missing argument) proves nothing: scheduler.Defect ends such a run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from stillframe.errors import HostBusy, TransientError
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import Delivery, Message
from stillframe.table import side_items, transitions
from stillframe.table.attributes import HOLDER, ID, to_attributes
from stillframe.table.claim import Claim
from stillframe.table.host_limit import RETENTION_SECONDS, HostLimit, Slot
from stillframe.table.record import Record
from stillframe.table.table import Table, Written
from stillframe.table.wait_count import WaitCounts
from stillframe_notifier.wiring import NotifierParts
from stillframe_renderer.health import WorkerHealth
from stillframe_renderer.message.capture import Capture
from stillframe_renderer.message.job import Job
from stillframe_renderer.message.under_claim import InvocationContext
from stillframe_renderer.message.wiring import CaptureParts
from stillframe_renderer.observers import Observers

from .event_bugs import AnswersSuccess, BelievesTheStatus, NamesEventsAtRandom, ReadsBackwards, TellsOfClaims
from .image_bugs import (
    AdoptsAnyImage,
    AssumesItsOwnImage,
    KeepsExtrasById,
    KeepsShotsById,
    ListsItsOwnShots,
    OverwritesObjects,
    StoresExtrasLast,
    StoresShotsLast,
)
from .promise import Promise
from .surroundings import Parts
from .table_bugs import (
    LetsSuccessExpire,
    MovesClaims,
    TakesOverAnything,
    UnfencedCompletion,
    UnfencedRelease,
    UnlistsFailures,
)

HOUR_MS = 3_600_000


class AcknowledgesEveryDuplicate(Capture):
    """Treats every delivery that loses the claim as a duplicate, even a redelivery of the holder's own message."""

    def _may_guarantee(self, message: Message, found: Record) -> bool:
        return False


class AcknowledgesEarlierHolders(Capture):
    """Treats every message except the holder's own as a duplicate, even one that held the claim before."""

    def _may_guarantee(self, message: Message, found: Record) -> bool:
        return found.message_id == message.message_id


class ForgetsTheRedrive(Capture):
    """Treats a redriven message like one that never held the claim."""

    def _may_guarantee(self, message: Message, found: Record) -> bool:
        return message.receive_count > 1 or found.message_id == message.message_id


class HurriesToTheDeadLetters(Capture):
    """Makes a message visible at once at its last receive, although a lease that it holds may still run."""

    def _hand_back(self, message: Message, error: TransientError) -> Outcome:
        self._queue.delay(message.receipt_handle, 0)
        return super()._hand_back(message, error)


class LetsErrorsThrough(Capture):
    """Raises every error, so that one record fails its whole batch."""

    def _end_with(self, message: Message, screenshot_id: str, error: Exception) -> Outcome:
        raise error


class RefusesWithoutOutcome(Capture):
    """Raises for a record that is no message, like a model that does not fit it."""

    def process(self, message: Message, context: InvocationContext) -> Outcome:
        if message.defect is not None:
            raise message.defect
        return super().process(message, context)


class SwallowsCancellation(Capture):
    """Acknowledges a canceled delivery."""

    def process(self, message: Message, context: InvocationContext) -> Outcome:
        try:
            return super().process(message, context)
        except asyncio.CancelledError:
            return Outcome(kind=OutcomeKind.CAPTURED, acknowledge=True, id="", url="", message_id=message.message_id)


class ForgetsTheFirstSending(Capture):
    """Names a copy or a redriven message by the window of its own sending."""

    def process(self, message: Message, context: InvocationContext) -> Outcome:
        return super().process(replace(message, first_sent_at_ms=message.sent_at_ms), context)


class WaitsWithoutACopy(Capture):
    """Acknowledges a message whose host is busy without sending a copy of it."""

    def _postpone(self, message: Message, error: HostBusy) -> Outcome:
        return Outcome(
            kind=OutcomeKind.RETRY, acknowledge=True, id="", url="", message_id=message.message_id, reason=error.code
        )


class ForgetsTheContext(Claim):
    """Registers no context: Powertools then holds a claim until the record expires, an hour by default."""

    def save_inprogress(self, data: dict[str, Any], remaining_time_in_millis: int | None = None) -> None:
        super().save_inprogress(data, HOUR_MS)


class KeepsAnOldContext(Claim):
    """Keeps the context of an ended invocation, which has no time left: the claim expires at once."""

    def save_inprogress(self, data: dict[str, Any], remaining_time_in_millis: int | None = None) -> None:
        super().save_inprogress(data, 0)


class KeyedByMessageId(Claim):
    """Uses the SQS message id as the screenshot id."""

    def __init__(self, table: Table, settings: Any, clock: Any, delivery: Delivery) -> None:
        renamed = delivery.request.model_copy(update={"request_id": delivery.message.message_id})
        super().__init__(table, settings, clock, replace(delivery, request=renamed))


class OverwritesRecords(Producer):
    """Overwrites any existing record of the id with `queued`."""

    def record(self, request: CaptureRequest) -> Written:
        queued = transitions.queue(request, self._clock.now_ms(), self._settings.record_retention_seconds)
        item = to_attributes({ID: request.id, **queued.set_values})
        self._clients.dynamodb.put_item(TableName=self._settings.table_name, Item=item)
        return Written(True)


class CountsNoWaits(WaitCounts):
    """Lets every copy of a waiting message, not only the newest, wait and be copied again."""

    def is_newest(self, message: Message) -> bool:
        return True


class ReleasesWhatItLost(HostLimit):
    """Releases the slot that it once held, whoever holds it now."""

    def release(self, slot: Slot | None) -> None:
        if slot is not None:
            fenced = side_items.release_slot(slot.token, self._clock.now_ms(), RETENTION_SECONDS)
            self._table.update(slot.key, replace(fenced, condition=f"attribute_exists(#{HOLDER})", values={}))


class NeverStops(WorkerHealth):
    """Goes on receiving, whatever has happened."""

    @property
    def may_work(self) -> bool:
        return True

    @property
    def max_messages(self) -> int | None:
        return None

    def refresh(self) -> None:
        pass


class RecordsFaults(Job):
    """Records a fault of the worker at the last receive as the failure of the screenshot."""

    def _last_or_raise(self, error: TransientError) -> TransientError:
        if self._delivery.message.is_last(self._tools.settings.max_receive_count):
            return error
        raise error


class ObserversDecide(Observers):
    """Lets the exception of an observer through."""

    def __init__(self, observers: Iterable[Callable[[Outcome], None]]) -> None:
        super().__init__(observers)
        self._bare = tuple(observers)

    def __call__(self, outcome: Outcome) -> None:
        for observe in self._bare:
            observe(outcome)


@dataclass(frozen=True)
class Bug:
    """The name of a mistake, the promise that it must break, and the code that makes the mistake."""

    name: str
    breaks: Promise
    parts: Parts


def _capture(**parts: Any) -> Parts:
    return Parts(capture=CaptureParts(**parts))


def _notifier(**parts: Any) -> Parts:
    return Parts(notifier=NotifierParts(**parts))


BUGS = (
    Bug("acknowledge every duplicate", Promise.ACKNOWLEDGED_IS_SAFE, _capture(capture=AcknowledgesEveryDuplicate)),
    Bug(
        "acknowledge a message that held the claim before",
        Promise.ACKNOWLEDGED_IS_SAFE,
        _capture(capture=AcknowledgesEarlierHolders),
    ),
    Bug(
        "acknowledge a redriven message as a duplicate",
        Promise.ACKNOWLEDGED_IS_SAFE,
        _capture(capture=ForgetsTheRedrive),
    ),
    Bug(
        "no wait before the dead-letter queue", Promise.ACKNOWLEDGED_IS_SAFE, _capture(capture=HurriesToTheDeadLetters)
    ),
    Bug("no fence on complete", Promise.HOLDER_ONLY, _capture(table=UnfencedCompletion)),
    Bug("no fence on release", Promise.HOLDER_ONLY, _capture(table=UnfencedRelease)),
    Bug("claims that move in the index", Promise.CLAIM_IS_FREE, _capture(table=MovesClaims)),
    Bug("failures that leave the index", Promise.IS_LISTED, _capture(table=UnlistsFailures)),
    Bug("no If-None-Match", Promise.ONE_VERSION, _capture(images=OverwritesObjects)),
    Bug("adopt without checking the object", Promise.SAME_IMAGE, _capture(images=AssumesItsOwnImage)),
    Bug("adopt an image by its id alone", Promise.OWN_IMAGE, _capture(images=AdoptsAnyImage)),
    Bug("extra objects after the image", Promise.SAME_RENDER, _capture(images=StoresExtrasLast)),
    Bug("extra objects by id alone", Promise.SAME_RENDER, _capture(images=KeepsExtrasById)),
    Bug("shots after the image", Promise.SAME_SHOTS, _capture(images=StoresShotsLast)),
    Bug("shots by id alone", Promise.SAME_SHOTS, _capture(images=KeepsShotsById)),
    Bug("its own shots beside an adopted image", Promise.SAME_SHOTS, _capture(images=ListsItsOwnShots)),
    Bug("lease longer than visibility", Promise.LEASE_IN_VISIBILITY, Parts(settings={"lease_margin_seconds": 600.0})),
    Bug("key by message id", Promise.ONE_ID, _capture(claim=KeyedByMessageId)),
    Bug("delete before complete", Promise.ACKNOWLEDGED_IS_SAFE, Parts(acknowledge_first=True)),
    Bug("forget to register the context", Promise.LEASE_IN_VISIBILITY, _capture(claim=ForgetsTheContext)),
    Bug("keep the context of an earlier invocation", Promise.NO_OVERLAP, _capture(claim=KeepsAnOldContext)),
    Bug("take over a claim whose lease has not expired", Promise.HOLDER_ONLY, _capture(table=TakesOverAnything)),
    Bug("let a success expire", Promise.SUCCESS_IS_FINAL, _capture(table=LetsSuccessExpire)),
    Bug("let an error through to the batch", Promise.NEVER_RAISES, _capture(capture=LetsErrorsThrough)),
    Bug("refuse a record without an outcome", Promise.NEVER_RAISES, _capture(capture=RefusesWithoutOutcome)),
    Bug("swallow cancellation", Promise.ACKNOWLEDGED_IS_SAFE, _capture(capture=SwallowsCancellation)),
    Bug("a sick worker keeps receiving", Promise.SICK_STOPS, Parts(health=NeverStops)),
    Bug("a worker's fault is recorded as a failure", Promise.FAULT_IS_NO_FAILURE, _capture(job=RecordsFaults)),
    Bug("believe what it was told about the queue", Promise.RECEIVE_LIMIT, Parts(asks_the_queue=False)),
    Bug("an observer decides", Promise.OBSERVERS, Parts(observers=ObserversDecide)),
    Bug("producer overwrites the record", Promise.HOLDER_ONLY, Parts(producer=OverwritesRecords)),
    Bug("wait for a host without sending a copy", Promise.ACKNOWLEDGED_IS_SAFE, _capture(capture=WaitsWithoutACopy)),
    Bug("copy every waiting copy again", Promise.FEW_COPIES, _capture(wait_counts=CountsNoWaits)),
    Bug("release a slot that another capture holds", Promise.SLOT_IS_KEPT, _capture(host_limit=ReleasesWhatItLost)),
    Bug("name a copy by its own window", Promise.ONE_ID, _capture(capture=ForgetsTheFirstSending)),
    Bug("a random event id", Promise.SAME_EVENT, _notifier(notifier=NamesEventsAtRandom)),
    Bug("an event at the claim", Promise.ONLY_FINAL, _notifier(notifier=TellsOfClaims)),
    Bug("answer success although events were not sent", Promise.EVERY_EVENT, _notifier(notifier=AnswersSuccess)),
    Bug("report the last change that was not sent", Promise.EVERY_EVENT, _notifier(notifier=ReadsBackwards)),
    Bug("drop the entries that PutEvents refuses", Promise.EVERY_EVENT, _notifier(event_bus=BelievesTheStatus)),
)
