"""Plausible mistakes about watches, which a week must show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stillframe.clock import Deadline
from stillframe.errors import CaptureError
from stillframe.events import Event
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.intake import Accepted
from stillframe.request.message import Delivery
from stillframe.table.attributes import ID
from stillframe.table.last_capture import LastCapture, LastCaptures, Succession
from stillframe.table.table import Table
from stillframe.table.update import Update
from stillframe.watches.day import Day
from stillframe.watches.day_digest import DayDigest
from stillframe.watches.history import GRACE_MS
from stillframe.watches.watch import Watch
from stillframe_cli.watching.scheduler import Due, Scheduler
from stillframe_notifier.change import Change
from stillframe_notifier.digester import Digester
from stillframe_notifier.notifier import Notifier
from stillframe_notifier.wiring import NotifierParts
from stillframe_renderer.message.comparison import Comparer, Comparison
from stillframe_renderer.message.wiring import CaptureParts

from ..bugs import Bug
from ..promise import Promise
from ..surroundings import Parts

DAY_MS = 24 * 3_600_000
ALWAYS = f"attribute_exists(#{ID}) OR attribute_not_exists(#{ID})"


class SucceedsAnyone(LastCaptures):
    """Makes each capture the last one, whichever was the last when it began."""

    def succession(
        self, delivery: Delivery, last: LastCapture | None, following: LastCapture, expires_at: int
    ) -> Succession:
        made = super().succession(delivery, last, following, expires_at)
        return replace(made, update=replace(made.update, condition=ALWAYS, values={}))


class LateComparison(Comparison):
    """Looks for the last capture when there is something to compare, not before the page is rendered."""

    def compare(self, result: RenderResult, deadline: Deadline) -> RenderResult:
        self._last = self._last_captures.last(self._delivery)
        self._earlier = self._last.reference if self._last is not None else None
        return super().compare(result, deadline)


class ReadsTheLastOneLate(Comparer):
    """Has comparisons that begin after the render."""

    comparison = LateComparison


class WritesOneAfterTheOther(Table):
    """Makes two writes of what must be one transaction."""

    def update_together(self, updates: Mapping[str, Update]) -> str | None:
        for key, update in reversed(list(updates.items())):
            if not self.update(key, update).is_applied:
                return key
        return None


class BelievingComparison(Comparison):
    """Adopts an image with what it says about changes, whichever capture is the last one by now."""

    def adopt(self, image: StoredImage) -> StoredImage:
        self._is_put_off = False
        return image


class BelievesTheImage(Comparer):
    """Has comparisons that believe."""

    comparison = BelievingComparison


class ReportsAgain(LastCaptures):
    """Forgets that a change has been reported."""

    def last(self, delivery: Delivery) -> LastCapture | None:
        found = super().last(delivery)
        return replace(found, is_reported=False) if found is not None else None


class NamesPeriodsByItsClock(Scheduler):
    """Gives a request the minute of its sending, not the period's own time."""

    def _due(self, watch: Any) -> Any:
        for due in super()._due(watch):
            minute_ms = self._clock.now_ms() // 60_000 * 60_000
            yield replace(due, request=watch.request(due.request.url, minute_ms))


class GivesUpAtOnce(Scheduler):
    """Takes a request that could not be sent as done."""

    def _note(self, due: Due, answer: Accepted | CaptureError) -> bool:
        self._sent[due.series] = due.request.id
        return super()._note(due, answer)


class TellsOfCapturesOnly(Notifier):
    """Sends one event of each completion, and none of what has changed."""

    def events_of(self, change: Change) -> Sequence[Event]:
        return super().events_of(change)[:1]


class TellsAtOnce(Digester):
    """Tells of a day as soon as it has ended."""

    def _due_digests(self, watch: Watch, day: Day, now_ms: int, until_ms: int | None) -> list[DayDigest] | None:
        return super()._due_digests(watch, day, now_ms + DAY_MS, until_ms)


class NotesBeforeSending(Digester):
    """Notes that a day was told before its digests are sent."""

    def _due_digests(self, watch: Watch, day: Day, now_ms: int, until_ms: int | None) -> list[DayDigest] | None:
        digests = super()._due_digests(watch, day, now_ms, until_ms)
        if digests is not None:
            self._told.move(watch.name, day.until_ms)
        return digests


class TellsByItsClock(Digester):
    """Ends a day when it is told."""

    def _due_digests(self, watch: Watch, day: Day, now_ms: int, until_ms: int | None) -> list[DayDigest] | None:
        clocked = replace(day, until_ms=now_ms - GRACE_MS)
        return super()._due_digests(watch, clocked, now_ms, until_ms)


WEEK_BUGS = (
    Bug(
        "succeed whichever capture is the last",
        Promise.ONE_CHANGE,
        Parts(capture=CaptureParts(last_captures=SucceedsAnyone)),
    ),
    Bug(
        "read the last capture after rendering",
        Promise.ONE_CHANGE,
        Parts(capture=CaptureParts(comparer=ReadsTheLastOneLate)),
    ),
    Bug(
        "complete and succeed in two writes",
        Promise.ONE_CHANGE,
        Parts(capture=CaptureParts(table=WritesOneAfterTheOther)),
    ),
    Bug(
        "believe what an adopted image says", Promise.ONE_CHANGE, Parts(capture=CaptureParts(comparer=BelievesTheImage))
    ),
    Bug("report a change again", Promise.ONE_CHANGE, Parts(capture=CaptureParts(last_captures=ReportsAgain))),
    Bug("name a period by the clock", Promise.EVERY_PERIOD, Parts(watch_scheduler=NamesPeriodsByItsClock)),
    Bug("give up what could not be sent", Promise.EVERY_PERIOD, Parts(watch_scheduler=GivesUpAtOnce)),
    Bug("no event of a change", Promise.EVERY_EVENT, Parts(notifier=NotifierParts(notifier=TellsOfCapturesOnly))),
    Bug("tell of a day at once", Promise.ONE_DIGEST, Parts(notifier=NotifierParts(digester=TellsAtOnce))),
    Bug("note a day before it is told", Promise.ONE_DIGEST, Parts(notifier=NotifierParts(digester=NotesBeforeSending))),
    Bug("end a day by the clock", Promise.ONE_DIGEST, Parts(notifier=NotifierParts(digester=TellsByItsClock))),
)
