"""Virtual time and everything that happens in it, in an order that one seed decides.

Each record that a worker handles is a greenlet: straight-line code that is suspended wherever it waits for
something outside its process. The scheduler alone decides who goes on, and when; ties are broken at random.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import greenlet

START_MS = 1_800_000_000_000


class Died(BaseException):
    """The process was killed. Not an Exception: nothing may handle it, as nothing handles SIGKILL."""


class Defect(BaseException):
    """The code under test is wrong in itself (TypeError, AttributeError), which proves nothing about a promise."""


@dataclass(eq=False)
class Process:
    """What dies as a whole. `skew_ms` is how far its clock is ahead; `is_bounded`, whether it is killed in time."""

    name: str
    skew_ms: int = 0
    is_bounded: bool = False
    alive: bool = True
    paused_until_ms: int = 0
    tasks: list[Task] = field(default_factory=list)
    # Called soon after it was killed.
    on_death: Callable[[], None] = lambda: None


class Task(greenlet.greenlet):
    """One thread of a process. `received_ms` is when the message that it handles was received."""

    def __init__(self, process: Process, name: str, run: Callable[[], None], hub: greenlet.greenlet) -> None:
        super().__init__(run, hub)
        self.process = process
        self.name = name
        self.received_ms = 0


class Scheduler:
    """A discrete-event loop. `now_ms` is true time; processes see it through their own skewed clocks."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now_ms = START_MS
        self.story: list[tuple[int, str, str]] = []
        self._events: list[tuple[int, float, int, Callable[[], Any]]] = []
        self._numbers = itertools.count()
        self._hub = greenlet.getcurrent()
        self._processes: list[Process] = []
        # Raised by `run`: what breaks a promise is deep inside of code that handles exceptions.
        self.failure: BaseException | None = None

    def at(self, when_ms: int, action: Callable[[], Any]) -> None:
        """Do it then, outside of every task."""
        heapq.heappush(self._events, (max(when_ms, self.now_ms), self.rng.random(), next(self._numbers), action))

    def after(self, delay_ms: int, action: Callable[[], Any]) -> None:
        self.at(self.now_ms + delay_ms, action)

    def spawn(self, process: Process, name: str, run: Callable[[], None]) -> Task:
        """Start a thread in a process; it begins at the next step."""

        def guarded() -> None:
            with contextlib.suppress(Died):
                run()

        task = Task(process, name, guarded, self._hub)
        if not process.tasks:
            self._processes.append(process)
        process.tasks.append(task)
        self.after(0, lambda: self._resume(task))
        return task

    def sleep(self, delay_ms: int) -> None:
        """Suspend the running task. Raises Died when its process was killed meanwhile."""
        task = self.current
        if not task.process.alive:
            raise Died
        self.after(delay_ms, lambda: self._resume(task))
        self._hub.switch()
        if not task.process.alive:
            raise Died

    @property
    def current(self) -> Task:
        task = greenlet.getcurrent()
        assert isinstance(task, Task), "only tasks wait"
        return task

    @property
    def actor(self) -> Process | None:
        """Whose code is running; None for the surroundings themselves."""
        task = greenlet.getcurrent()
        return task.process if isinstance(task, Task) else None

    def kill(self, process: Process, why: str) -> None:
        """SIGKILL, from outside of every task: nothing of the process runs or takes effect any more."""
        if not process.alive:
            return
        process.alive = False
        self.tell(process.name, f"is killed: {why}")
        self._unwind(process)
        self.after(0, process.on_death)

    def die(self, why: str) -> None:
        """The running task's process is killed at this very point."""
        process = self.current.process
        self.tell(process.name, f"is killed: {why}")
        process.alive = False
        self.after(0, lambda: self._unwind(process))
        self.after(0, process.on_death)
        raise Died

    def run(self, until_ms: int) -> bool:
        """Take one event after the other; returns whether all of them were done by then."""
        while self._events and self._events[0][0] <= until_ms:
            self.now_ms, _, _, action = heapq.heappop(self._events)
            action()
            if self.failure is not None:
                raise self.failure
        return not self._events

    def close(self) -> None:
        """End what still runs, quietly."""
        self._events.clear()
        for process in self._processes:
            process.alive = False
            self._unwind(process)

    def _unwind(self, process: Process) -> None:
        """Its tasks end here and now; no call that they still make takes effect. What never began is left alone."""
        for task in process.tasks:
            if task:
                task.throw(Died)

    def tell(self, who: str, what: str) -> None:
        """Add a line to the story."""
        self.story.append((self.now_ms - START_MS, who, what))

    def _resume(self, task: Task) -> None:
        process = task.process
        if task.dead or not process.alive:
            return
        if process.paused_until_ms > self.now_ms:
            self.at(process.paused_until_ms, lambda: self._resume(task))
            return
        task.switch()


@dataclass(frozen=True)
class SkewedClock:
    """The wall clock of one process."""

    scheduler: Scheduler
    process: Process

    def now_ms(self) -> int:
        return self.scheduler.now_ms + self.process.skew_ms
