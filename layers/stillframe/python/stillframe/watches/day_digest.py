"""The digest of a day: what became of the periods of one page of a watch, and what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Self

from stillframe.image.extra import ExtraKind
from stillframe.request.capture_request import without_credentials
from stillframe.request.options.wire import WireModel
from stillframe.table.record import Record, Status
from stillframe.watches.day import Day
from stillframe.watches.history import MISSED, Period
from stillframe.watches.watch import Watch, period_text

# The first ones of a day. A page that changes more often is counted on.
MAX_CHANGES = 50


class DayChange(WireModel):
    """A capture that reported a change: its id and period, and where the images after, before and marked are.

    `difference` is the share of pixels that changed, 0 to 1.
    """

    id: str
    period: str
    difference: float | None
    s3_url: str | None
    compared_to_url: str | None
    difference_url: str | None


class DayDigest(WireModel):
    """A day of one page of a watch.

    Of its `periods`, some were `captured`, `failed` or `missed`; the others were not finished when this was written.
    `error_codes` counts the failures by their codes, `changed` the captures that reported a change; `changes` has the
    first ones of these. `since` and `until` are milliseconds since the epoch.
    """

    id: str
    watch: str
    url: str
    day: str
    timezone: str
    since: int
    until: int
    periods: int
    captured: int
    failed: int
    missed: int
    changed: int
    changes: tuple[DayChange, ...] = ()
    error_codes: dict[str, int] | None = None
    first_s3_url: str | None = None
    last_s3_url: str | None = None

    @classmethod
    def of(cls, watch: Watch, url: str, day: Day, periods: Iterable[Period]) -> Self:
        """The digest of these periods, which are all that the page has in the day, the earliest first."""
        states: Counter[str] = Counter()
        codes: Counter[str] = Counter()
        images: list[str] = []
        changes: list[DayChange] = []
        for period in periods:
            states[period.state] += 1
            record = period.record
            if record is None:
                continue
            if record.status is Status.FAILED:
                codes[record.error_code or "UNKNOWN"] += 1
            elif record.status is Status.SUCCESS and record.s3_url is not None:
                images.append(record.s3_url)
                if record.reports_change:
                    changes.append(_change(record, period.at_ms))
        return cls(
            id=watch.id(url, str(day.date)),
            watch=watch.name,
            url=without_credentials(url),
            day=str(day.date),
            timezone=watch.schedule.timezone,
            since=day.since_ms,
            until=day.until_ms,
            periods=states.total(),
            captured=states[Status.SUCCESS],
            failed=states[Status.FAILED],
            missed=states[MISSED],
            changed=len(changes),
            changes=tuple(changes[:MAX_CHANGES]),
            error_codes=dict(codes) or None,
            first_s3_url=images[0] if images else None,
            last_s3_url=images[-1] if images else None,
        )

    @property
    def is_settled(self) -> bool:
        """Whether nothing of the day is still under way."""
        return self.captured + self.failed + self.missed == self.periods

    @property
    def tenant(self) -> None:
        """A watch is the deployment's."""
        return None

    @property
    def webhook(self) -> None:
        """A watch names none: the deployment's is told."""
        return None

    def to_wire(self) -> dict[str, object]:
        """The digest by wire names, without what it does not have."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def _change(record: Record, at_ms: int) -> DayChange:
    return DayChange(
        id=record.id,
        period=period_text(at_ms),
        difference=record.difference,
        s3_url=record.s3_url,
        compared_to_url=record.compared_to_url,
        difference_url=(record.extras or {}).get(ExtraKind.DIFFERENCE),
    )
