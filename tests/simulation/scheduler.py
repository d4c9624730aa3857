"""Virtual time and the events in it, in an order that one seed decides.

Each record that a worker handles is a greenlet: straight-line code that is suspended wherever it waits for
something outside its process. The scheduler alone decides which one continues, and when; ties are broken at random.
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
    """The process was killed. This is not an Exception: like SIGKILL, it cannot be handled."""


class Defect(BaseException):
    """The code under test has a bug of its own (TypeError, AttributeError), which proves nothing about a promise."""


@dataclass(eq=False)
class Process:
    """A set of tasks that die together. `skew_ms` is how far its clock is ahead; a bounded process has a timeout."""

    name: str
    skew_ms: int = 0
    is_bounded: bool = False
    alive: bool = True
    paused_until_ms: int = 0
    tasks: list[Task] = field(default_factory=list)
    # What this process cannot do at the moment, because its machine or its account is sick.
    cannot: Callable[[str], bool] = lambda what: False
    is_sick: Callable[[], bool] = lambda: False
    # Called soon after the process was killed.
    on_death: Callable[[], None] = lambda: None


class Task(greenlet.greenlet):
    """One thread of a process. `received_ms` is when its message was received."""

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
        # Raised by `run`, because a promise is broken deep inside code that handles exceptions.
        self.failure: BaseException | None = None

    def at(self, when_ms: int, action: Callable[[], Any]) -> None:
        """Run the action at that time, outside every task."""
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
        """Suspend the running task. Raises Died if its process is killed meanwhile."""
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
        assert isinstance(task, Task), "only tasks can wait"
        return task

    @property
    def actor(self) -> Process | None:
        """The process whose code is running; None for the surroundings."""
        task = greenlet.getcurrent()
        return task.process if isinstance(task, Task) else None

    def kill(self, process: Process, why: str) -> None:
        """Send SIGKILL from outside every task: nothing of the process runs or takes effect any longer."""
        if not process.alive:
            return
        process.alive = False
        self.log(process.name, f"is killed: {why}")
        self._unwind(process)
        self.after(0, process.on_death)

    def die(self, why: str) -> None:
        """Kill the running task's process at this very point."""
        process = self.current.process
        self.log(process.name, f"is killed: {why}")
        process.alive = False
        self.after(0, lambda: self._unwind(process))
        self.after(0, process.on_death)
        raise Died

    def run(self, until_ms: int) -> bool:
        """Run one event after the other; returns whether all of them ended by then."""
        while self._events and self._events[0][0] <= until_ms:
            self.now_ms, _, _, action = heapq.heappop(self._events)
            action()
            if self.failure is not None:
                raise self.failure
        return not self._events

    def close(self) -> None:
        """End all tasks that are still running."""
        self._events.clear()
        for process in self._processes:
            process.alive = False
            self._unwind(process)

    def _unwind(self, process: Process) -> None:
        """End the tasks of the process now; calls that they still make have no effect. Tasks that never began stay."""
        for task in process.tasks:
            if task:
                task.throw(Died)

    def log(self, who: str, what: str) -> None:
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
