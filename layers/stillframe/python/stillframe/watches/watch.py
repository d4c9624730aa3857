"""A watch: some pages, when to capture them, and the requests of each period."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from stillframe.request.capture_request import CaptureRequest
from stillframe.request.series import period_id, series_id
from stillframe.watches.declared import Declared
from stillframe.watches.schedule import Schedule

DIGEST_CHARS = 12
# A changed watch remembers its earlier schedules and the pages that were left out, the last of these.
MAX_ERAS = 50
MAX_FORMER_BYTES = 64 * 1024
# An item of the table has at most 400 KB.
MAX_BYTES = 390 * 1024


class WireModel(BaseModel):
    """An immutable value with wire names."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")


class Era(WireModel):
    """A time in which a watch had one schedule, in milliseconds since the epoch; `until_ms` is None while it lasts."""

    cron: str
    timezone: str
    since_ms: int
    until_ms: int | None = None

    @property
    def schedule(self) -> Schedule:
        """The schedule of this time."""
        return Schedule(self.cron, self.timezone)

    @classmethod
    def begun(cls, schedule: Schedule, now_ms: int) -> Self:
        """The time that begins now."""
        return cls(cron=schedule.cron, timezone=schedule.timezone, since_ms=now_ms)

    def ended(self, now_ms: int) -> Self:
        """The time as it ends now, or earlier if it has ended before."""
        return self if self.until_ms is not None else self.model_copy(update={"until_ms": now_ms})


class FormerPage(WireModel):
    """A URL that was left out, and the time in which it was watched, in milliseconds since the epoch."""

    url: str
    since_ms: int
    until_ms: int


class Watch(WireModel):
    """What is captured, when, and since when. `urls` has the time at which each URL was added.

    `spread_minutes` is the time within which the captures of a period begin, each series at its own moment.
    """

    name: str
    urls: dict[str, int]
    former_pages: tuple[FormerPage, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)
    compare_to: str | None = None
    confirm: bool = False
    spread_minutes: int = 0
    eras: tuple[Era, ...]
    is_removed: bool = False
    # Rises with each change.
    version: int = 0

    @classmethod
    def new(cls, declared: Declared, now_ms: int) -> Self:
        """A watch whose first period is the first one after now."""
        return cls(
            name=declared.name,
            urls=dict.fromkeys(declared.urls, now_ms),
            options=declared.options,
            compare_to=declared.compare_to,
            confirm=declared.confirm,
            spread_minutes=declared.spread_minutes,
            eras=(Era.begun(declared.schedule, now_ms),),
        )

    @property
    def schedule(self) -> Schedule:
        """The schedule of now, or the last one of a watch that is paused."""
        return self.eras[-1].schedule

    @property
    def is_paused(self) -> bool:
        """Whether no new period begins."""
        return self.eras[-1].until_ms is not None

    @property
    def known_urls(self) -> list[str]:
        """The URLs, and then those that were left out."""
        return list(dict.fromkeys([*self.urls, *(page.url for page in self.former_pages)]))

    def paused(self, now_ms: int) -> Self:
        """The watch without new periods."""
        return self._with(eras=(*self.eras[:-1], self.eras[-1].ended(now_ms)))

    def resumed(self, now_ms: int) -> Self:
        """The watch with new periods from now on, by its last schedule."""
        return self._with(eras=(*self.eras, Era.begun(self.schedule, now_ms))[-MAX_ERAS:]) if self.is_paused else self

    def removed(self, now_ms: int) -> Self:
        """The watch as it is remembered."""
        return self.paused(now_ms)._with(is_removed=True)

    def changed_to(self, declared: Declared, now_ms: int) -> Self:
        """The watch as it is declared now. It remembers its earlier schedules and pages, and stays paused if it is.

        One that was removed begins again.
        """
        if self.is_removed:
            return self._with(is_removed=False).resumed(now_ms).changed_to(declared, now_ms)
        eras = self.eras
        if declared.schedule != self.schedule:
            begun = Era.begun(declared.schedule, now_ms)
            eras = (*eras[:-1], eras[-1].ended(now_ms), begun.ended(now_ms) if self.is_paused else begun)
        changed = self._with(
            urls={url: self.urls.get(url, now_ms) for url in declared.urls},
            former_pages=(),
            options=declared.options,
            compare_to=declared.compare_to,
            confirm=declared.confirm,
            spread_minutes=declared.spread_minutes,
            eras=eras[-MAX_ERAS:],
        )
        left_out = [
            FormerPage(url=url, since_ms=since_ms, until_ms=now_ms)
            for url, since_ms in self.urls.items()
            if url not in changed.urls
        ]
        room = min(MAX_FORMER_BYTES, MAX_BYTES - len(changed.model_dump_json(by_alias=True).encode()))
        return changed._with(former_pages=_last_of((*self.former_pages, *left_out), room))

    def request(self, url: str, period_ms: int) -> CaptureRequest:
        """The request for one URL in one period."""
        return CaptureRequest(url=url, request_id=self.id(url, period_text(period_ms)), options=self.all_options)

    @property
    def all_options(self) -> dict[str, Any]:
        """The options of each request."""
        if self.compare_to is None:
            return self.options
        confirming = {"confirmChanges": True} if self.confirm else {}
        return {**self.options, "compareTo": self.compare_to, **confirming}

    def id(self, url: str, period: str) -> str:
        """The screenshot id of a URL in a period: equal however often the period is sent."""
        return period_id(self.series(url), period)

    def series(self, url: str) -> str:
        """What the ids of all captures of a URL begin with."""
        return series_id(self.name, url_digest(url))

    def periods(self, url: str, after_ms: int, until_ms: int) -> list[int]:
        """The periods of a URL in a time, by the schedule that was in force, in order."""
        return [
            period
            for era, since_ms, end_ms in self._times(url, after_ms, until_ms)
            for period in era.schedule.between(since_ms, end_ms)
        ]

    def latest_periods(self, url: str, after_ms: int, until_ms: int) -> Iterator[int]:
        """The same periods as those of `periods`, the latest first, worked out as far as they are read."""
        for era, since_ms, end_ms in reversed(self._times(url, after_ms, until_ms)):
            yield from era.schedule.backwards(end_ms, since_ms)

    def _times(self, url: str, after_ms: int, until_ms: int) -> list[tuple[Era, int, int]]:
        """When a URL was watched by which schedule, in order."""
        spans = [(page.since_ms, page.until_ms) for page in self.former_pages if page.url == url]
        if url in self.urls:
            spans.append((self.urls[url], until_ms))
        return [
            (era, max(after_ms, since_ms, era.since_ms), min(until_ms, end_ms, era.until_ms or until_ms))
            for since_ms, end_ms in spans
            for era in self.eras
        ]

    def _with(self, **changes: Any) -> Self:
        return self.model_copy(update=changes)


def _last_of(pages: tuple[FormerPage, ...], room: int) -> tuple[FormerPage, ...]:
    """The pages that were left out last, as many as there is room for, in bytes."""
    # With the comma that follows.
    sizes = itertools.accumulate(len(page.model_dump_json(by_alias=True).encode()) + 1 for page in reversed(pages))
    return pages[len(pages) - sum(size <= room for size in sizes) :]


def url_digest(url: str) -> str:
    """What stands for a URL in an id."""
    return hashlib.sha256(url.encode()).hexdigest()[:DIGEST_CHARS]


def period_text(period_ms: int) -> str:
    """A period in an id, as EventBridge Scheduler writes a time: `2026-01-31T12:00:00Z`."""
    return f"{datetime.fromtimestamp(period_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
