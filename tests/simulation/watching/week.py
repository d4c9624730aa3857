"""A week of one series: a page, captured hourly, by two schedulers that fail, come back, and send too much."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.clients import Clients
from stillframe.errors import CaptureError
from stillframe.intake import Intake
from stillframe.request.options import BASELINE, PREVIOUS
from stillframe.settings import Settings
from stillframe.watches.declared import Declared
from stillframe.watches.store import WatchStore
from stillframe.watches.watch import Watch
from stillframe_cli.load.sender import InlineExecutor
from stillframe_notifier.digester import DigestsUnsent
from stillframe_notifier.wiring import wire_digester

from ..plan import Plan
from ..schedule import LIMIT_MS, Result, Schedule
from ..scheduler import START_MS, Process, SkewedClock
from ..surroundings import Parts, redrive
from .digest_promises import DigestPromises
from .page import WatchedPage, WatchingBrowser
from .promises import Judge, WeekFigures, WeekPromises

URL = "https://example.com/shoes"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# Real schedulers tick every two seconds. Between two ticks that succeed, a simulated one lets time pass.
MAX_PAUSE_MS = 20 * 60_000
MAX_RETRY_MS = 30_000
KILLED = 0.01
MAX_DOWN_MS = 30 * 60_000
# What captures are compared with, and whether a change must be confirmed.
COMPARISONS = ((PREVIOUS, False), (PREVIOUS, True), (BASELINE, False), (BASELINE, True))


class KnownWatches(WatchStore):
    """Lists the watch by its name: the simulated table has no index."""

    def list(self) -> list[Watch]:
        return [self.find("shop")]


class WatchedIntake(Intake):
    """Tells whether a request has to come again."""

    has_failed = False

    def accept(self, *arguments: Any, **keywords: Any) -> list[Any]:
        answers = super().accept(*arguments, **keywords)
        self.has_failed = any(isinstance(answer, CaptureError) for answer in answers)
        return answers


@dataclass
class WeekResult(Result):
    """A week that has ended, with what became of its periods and changes."""

    figures: WeekFigures | None = None


class Week(Schedule):
    """The surroundings of one plan, in which nothing is sent but what the watch calls for."""

    def __init__(self, plan: Plan, parts: Parts, days: int) -> None:
        super().__init__(plan, parts)
        self._length_ms = days * DAY_MS
        # The schedulers go on until the last period has had its hour.
        self._ends_ms = START_MS + self._length_ms + HOUR_MS
        self._page = WatchedPage(plan.seed, START_MS, START_MS + self._length_ms)
        self.surroundings.new_browser = functools.partial(WatchingBrowser, self._page)
        self._rng = random.Random(f"week of {plan.seed}")
        self._starts = itertools.count(1)
        self._digests = DigestPromises(self.invariants.broken, self.table, self.bus, self._scheduler)
        self._promises = WeekPromises(self.invariants.broken, self.table, self.bucket, self._page)
        self._compare_to, self._confirms = self._rng.choice(COMPARISONS)
        self.figures: WeekFigures | None = None

    def _send_all(self) -> None:
        store = self._store(self.surroundings.services, None)
        values = {"urls": [URL], "every": "1h", "compare": self._compare_to, "confirm": self._confirms}
        self._watch = store.declare(Declared.of("shop", values))
        for _ in range(2):
            self._begin("scheduler", self._schedule)
        self._begin("digester", self._tell)
        for begins_ms in range(0, self._length_ms, 6 * HOUR_MS):
            self._scheduler.after(begins_ms + self._rng.randint(0, HOUR_MS), self._redrive)

    def _conclude(self) -> None:
        judge = Judge(self._compare_to == BASELINE, self._confirms)
        figures = self._promises.check(judge, self._watch, URL, START_MS, START_MS + self._length_ms)
        digests = self._digests.check_end(START_MS, self._ends_ms, day_of)
        self.figures = replace(figures, digests=digests)

    def _settle(self, limit_ms: int = LIMIT_MS) -> None:
        super()._settle(self._length_ms + limit_ms)

    def _redrive(self) -> None:
        self._start("operator", redrive)

    def _store(self, clients: Clients, process: Process | None) -> KnownWatches:
        clock = SkewedClock(self._scheduler, process or Process("somebody"))
        return KnownWatches(clients, self.surroundings.settings, clock)

    def _begin(self, name: str, tick_for_ever: Callable[[Process], None]) -> None:
        """Start a process. When it is killed, another one takes its place after a while."""
        if self._scheduler.now_ms >= self._ends_ms:
            return
        process = self.surroundings.process(f"{name}{next(self._starts)}")
        process.on_death = lambda: self._scheduler.after(
            self._rng.randint(0, MAX_DOWN_MS), lambda: self._begin(name, tick_for_ever)
        )
        self._scheduler.spawn(process, process.name, lambda: tick_for_ever(process))

    def _schedule(self, process: Process) -> None:
        """What `stillframe serve` does in a thread."""
        surroundings = self.surroundings
        clients, clock = surroundings.clients(process), SkewedClock(self._scheduler, process)
        settings: Settings = surroundings.settings
        intake = WatchedIntake(clients, settings, clock, InlineExecutor)
        watches = surroundings.parts.watch_scheduler(self._store(clients, process), intake, clock)

        def tick() -> bool:
            intake.has_failed = False
            watches.tick()
            return not intake.has_failed

        self._tick_for_ever(process, tick)

    def _tell(self, process: Process) -> None:
        """What the function of digests does, and another thread of `stillframe serve`."""
        surroundings = self.surroundings
        clients, clock = surroundings.clients(process), SkewedClock(self._scheduler, process)
        bus = surroundings.network.client(self.bus, process)
        parts = replace(surroundings.parts.notifier, watches=KnownWatches)
        digester = wire_digester(surroundings.settings, bus, clients, clock, parts=parts)

        def tick() -> bool:
            digester.tick()
            return True

        self._tick_for_ever(process, tick)

    def _tick_for_ever(self, process: Process, tick: Callable[[], bool]) -> None:
        """Tick until the week is over, sooner again after a tick that failed."""
        scheduler = self._scheduler
        while scheduler.now_ms < self._ends_ms:
            try:
                is_done = tick()
            except (CaptureError, DigestsUnsent, ClientError, BotoCoreError):
                is_done = False
                scheduler.log(process.name, "the tick failed")
            scheduler.sleep(self._rng.randint(1000, MAX_PAUSE_MS if is_done else MAX_RETRY_MS))
            if self._rng.random() < KILLED:
                scheduler.die("between two ticks")


def day_of(at_ms: int) -> str:
    """The day of a time at UTC."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"


def run_week(seed: int, parts: Parts | None = None, days: int = 7) -> WeekResult:
    """Run the week of a seed, or as many days of it, with the unchanged code unless parts are given."""
    week = Week(replace(Plan.draw(seed), later_messages=0), parts or Parts(), days)
    result = week.run()
    return WeekResult(result.plan, result.violation, result.story, week.figures)
