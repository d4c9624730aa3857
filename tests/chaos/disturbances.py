"""Disturbances of real consumers, of their browsers, of the emulator, and of the calls between them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from stillframe_cli.emulator import Emulator
from tests.support.proxy import Call, Verdict
from tests.support.workers import Fleet, Worker

# Longer than a lease and the visibility timeout of its message: the frozen consumer resumes as a late holder.
FREEZE_SECONDS = 12
EMULATOR_PAUSE_SECONDS = 3
DRAIN_SECONDS = 40
# A platform starts a worker again that has ended.
SICK_RESTART_SECONDS = 15.0


@dataclass
class Tally:
    """How often each disturbance happened."""

    kills: int = 0
    browser_kills: int = 0
    drains: int = 0
    drains_failed: int = 0
    freezes: int = 0
    emulator_pauses: int = 0
    aws_errors: int = 0
    sick_starts: int = 0
    denied_calls: int = 0


@dataclass
class Disturbances:
    """Keeps a number of consumers running, and disturbs them. One more has a browser that cannot start."""

    rng: random.Random
    emulator: Emulator
    workers: Fleet
    exports: dict[str, str]
    consumers: int
    broken_browser: str
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._sick: Worker | None = None
        self._next_sick_start = 0.0
        self._live: list[Worker] = []
        self._draining: list[tuple[Worker, float]] = []
        self._thaws: list[tuple[float, Callable[[], None]]] = []

    def keep_running(self) -> None:
        """Replace consumers that have ended, resume frozen ones when it is time, and check those that drain."""
        now = time.monotonic()
        for at, thaw in [each for each in self._thaws if each[0] <= now]:
            thaw()
            self._thaws.remove((at, thaw))
        for worker, deadline in list(self._draining):
            if worker.process.poll() is not None or now > deadline:
                self._draining.remove((worker, deadline))
                self._check_drain(worker)
        self._live = [worker for worker in self._live if worker.process.poll() is None]
        while len(self._live) < self.consumers:
            self._live.append(self.workers.start(self.exports, "--continuous", "--tabs", "3"))
        if (self._sick is None or self._sick.process.poll() is not None) and now >= self._next_sick_start:
            self._next_sick_start = now + SICK_RESTART_SECONDS
            self.tally.sick_starts += 1
            sick = {**self.exports, "STILLFRAME_CHROMIUM": self.broken_browser}
            self._sick = self.workers.start(sick, "--continuous", "--tabs", "3")

    def disturb(self) -> None:
        """Cause one disturbance at random; kills are the most frequent."""
        choices = (self._kill, self._kill, self._kill_browser, self._drain, self._freeze, self._pause_emulator)
        self.rng.choice(choices)(self.rng.choice(self._live))

    def calm(self) -> None:
        """Resume everything that is frozen."""
        for _, thaw in self._thaws:
            thaw()
        self._thaws.clear()

    def _kill(self, worker: Worker) -> None:
        self.tally.kills += 1
        worker.kill()

    def _kill_browser(self, worker: Worker) -> None:
        self.tally.browser_kills += kill_browsers_of(worker.process.pid)

    def _drain(self, worker: Worker) -> None:
        """Send SIGTERM: the consumer must finish its captures in progress and end with status 0."""
        if not worker.is_ready:
            return
        self.tally.drains += 1
        worker.process.send_signal(signal.SIGCONT)
        worker.process.terminate()
        self._live.remove(worker)
        self._draining.append((worker, time.monotonic() + DRAIN_SECONDS))

    def _check_drain(self, worker: Worker) -> None:
        status = worker.process.poll()
        if status == 0:
            return
        self.tally.drains_failed += 1
        print(f"chaos: {worker.name} was drained and ended with status {status}: {worker.errors()}", file=sys.stderr)

    def _freeze(self, worker: Worker) -> None:
        self.tally.freezes += 1
        worker.process.send_signal(signal.SIGSTOP)
        self._thaw_after(FREEZE_SECONDS, lambda: worker.process.send_signal(signal.SIGCONT))

    def _pause_emulator(self, _: Worker) -> None:
        self.tally.emulator_pauses += 1
        os.killpg(self.emulator.pid, signal.SIGSTOP)
        time.sleep(EMULATOR_PAUSE_SECONDS)
        os.killpg(self.emulator.pid, signal.SIGCONT)

    def _thaw_after(self, seconds: float, thaw: Callable[[], None]) -> None:
        self._thaws.append((time.monotonic() + seconds, thaw))


DENIALS: tuple[Callable[[Call], bool], ...] = (
    lambda call: call.method == "PUT",
    lambda call: call.operation == "UpdateItem",
    lambda call: call.operation.startswith("DeleteMessage"),
)


class Interference:
    """Fails a share of the AWS calls, either before they take effect or by losing their answers.

    Every `deny_every` seconds, one kind of call is denied for `deny_seconds`.
    """

    def __init__(
        self, rng: random.Random, share: float, tally: Tally, deny_every: float = 60, deny_seconds: float = 20
    ) -> None:
        self._rng = rng
        self._share = share
        self._tally = tally
        self._deny_every = deny_every
        self._deny_seconds = deny_seconds
        self._lock = threading.Lock()
        self._period = -1.0
        self._denied = DENIALS[0]
        self._started = time.monotonic()

    def before(self, call: Call) -> Verdict:
        if self._is_denied(call):
            return Verdict.DENIED
        return self._draw(Verdict.UNAVAILABLE, Verdict.DROP)

    def _is_denied(self, call: Call) -> bool:
        """Whether the call is the kind that is denied now: each period begins sound and ends with a denial."""
        with self._lock:
            period, seconds = divmod(time.monotonic() - self._started, self._deny_every)
            if period != self._period:
                self._period, self._denied = period, self._rng.choice(DENIALS)
            is_denied = seconds >= self._deny_every - self._deny_seconds and self._denied(call)
            self._tally.denied_calls += is_denied
            return is_denied

    def after(self, _: Call) -> Verdict:
        return self._draw(Verdict.DROP)

    def _draw(self, *verdicts: Verdict) -> Verdict:
        with self._lock:
            if self._rng.random() >= self._share / 2:
                return Verdict.PASS
            self._tally.aws_errors += 1
            return self._rng.choice(verdicts)


def kill_browsers_of(pid: int) -> int:
    """Send SIGKILL to the process group of each browser that is a child of the process; returns their number."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"--remote-debugging-pipe" in (process / "cmdline").read_bytes():
                os.killpg(int(process.name), signal.SIGKILL)
                killed += 1
    return killed
