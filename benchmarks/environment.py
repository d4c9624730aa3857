"""An execution environment of the function: a container that gets events, and what became of them."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from stillframe.archive import Archive
from stillframe.cost import LAMBDA_USD_PER_GB_SECOND, MB_PER_GB
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record, Status
from tests.support.cloud import Cloud
from tests.support.docker import Function, function
from tests.support.events import event_of

from .contenders.job import is_full_page

# The URLs of an event.
Event = Sequence[str]
WARM_UP_EVENTS = 2
THOUSAND = 1000
CPU_SECONDS = """
if [ -f /sys/fs/cgroup/cpuacct/cpuacct.usage ]; then awk '{print $1 / 1e9}' /sys/fs/cgroup/cpuacct/cpuacct.usage
else awk '/^usage_usec/{print $2 / 1e6}' /sys/fs/cgroup/cpu.stat; fi"""
PEAK_BYTES = """
cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.peak"""


@dataclass(frozen=True, slots=True)
class Run:
    """Some events one after the other: how long all of them took, and how long each capture.

    `cpu_seconds` is that of the whole container, `failed` the number of pages that were not captured at their first
    attempt, `peak_bytes` the most memory that the container has had, files included.
    """

    events: int
    seconds: float
    cpu_seconds: float
    durations_ms: tuple[int, ...]
    failed: int
    peak_bytes: int

    def __str__(self) -> str:
        return f"{1 / self.seconds_per_capture:.2f} captures a second, {self.failed} failed"

    @classmethod
    def together(cls, runs: Sequence[Self]) -> Self:
        """Several runs as one."""
        return cls(
            sum(each.events for each in runs),
            sum(each.seconds for each in runs),
            sum(each.cpu_seconds for each in runs),
            tuple(itertools.chain.from_iterable(each.durations_ms for each in runs)),
            sum(each.failed for each in runs),
            max(each.peak_bytes for each in runs),
        )

    @property
    def seconds_per_capture(self) -> float:
        """The billed time of a capture."""
        return self.seconds / len(self.durations_ms)

    def to_wire(self, memory_mb: int) -> dict[str, Any]:
        """The figures of a capture, in a function with so much memory."""
        captures = len(self.durations_ms)
        gb_seconds = memory_mb / MB_PER_GB * self.seconds_per_capture
        return {
            "captures": captures,
            "events": self.events,
            "failed": self.failed,
            "capturesPerSecond": round(captures / self.seconds, 3),
            "gbSeconds": round(gb_seconds, 4),
            "computeUsdPerThousand": {
                name: round(gb_seconds * price * THOUSAND, 4) for name, price in LAMBDA_USD_PER_GB_SECOND.items()
            },
            "cpuMs": round(self.cpu_seconds / captures * 1000),
            "meanMs": round(statistics.fmean(self.durations_ms)),
            "p50Ms": round(statistics.median(self.durations_ms)),
            "p95Ms": round(statistics.quantiles(self.durations_ms, n=20, method="inclusive")[-1]),
            "peakMb": round(self.peak_bytes / 2**20),
        }


class Environment:
    """A container with a size of Lambda, and the account in which it works."""

    _numbers = itertools.count(1)

    def __init__(self, running: Function, cloud: Cloud, batch: int) -> None:
        self._running = running
        self._cloud = cloud
        self._batch = batch

    @classmethod
    @contextlib.contextmanager
    def started(cls, image: str, emulator: Path, cloud: Cloud, memory_mb: int, tabs: int, batch: int) -> Iterator[Self]:
        """A new container, which initialises at its first event."""
        exports = {**cloud.exports, "STILLFRAME_TABS": str(tabs)}
        with function(emulator, exports, memory_mb=memory_mb, image=image) as running:
            yield cls(running, cloud, batch)

    def first_image(self, site: str) -> dict[str, int]:
        """The milliseconds from the first event to its answer, and those of the parts."""
        began = time.monotonic()
        self._invoke([f"http://{site}/text"])
        total_ms = round((time.monotonic() - began) * 1000)
        lines = {line.get("message"): line for line in self._running.lines()}
        return {
            "totalMs": total_ms,
            "importMs": lines["worker ready"]["importMs"],
            "browserMs": lines["browser started"]["launchMs"],
            "firstCaptureMs": lines["capture"]["durationMs"],
        }

    def warm_up(self, site: str) -> None:
        """Some full events, which are not counted."""
        for _ in range(WARM_UP_EVENTS):
            self._invoke([f"http://{site}/text"] * self._batch)

    def run(self, events: Sequence[Event]) -> Run:
        """Invoke the function with these events, one after the other."""
        cpu, ids, seconds = self._cpu_seconds(), [], 0.0
        for event in events:
            took, those = self._invoke(event)
            seconds += took
            ids += those
        spent = self._cpu_seconds() - cpu
        records = [self._record(each) for each in ids]
        done = [each for each in records if each.status is Status.SUCCESS and each.attempts == 1]
        return Run(
            events=len(events),
            seconds=seconds,
            cpu_seconds=spent,
            durations_ms=tuple(each.duration_ms or 0 for each in records),
            failed=len(records) - len(done),
            peak_bytes=int(self._running.shell(PEAK_BYTES)),
        )

    def _invoke(self, urls: Event) -> tuple[float, list[str]]:
        """The seconds of an invocation, and the screenshot ids of its event."""
        ids = [f"bench-{next(self._numbers)}" for _ in urls]
        bodies = [
            CaptureRequest(
                url=f"{url}?{each}", request_id=each, options={"fullPage": True} if is_full_page(url) else {}
            ).to_body()
            for url, each in zip(urls, ids, strict=True)
        ]
        began = time.monotonic()
        self._running.invoke(event_of(*bodies))
        return time.monotonic() - began, ids

    def _record(self, screenshot_id: str) -> Record:
        return Archive(self._cloud.clients, self._cloud.settings).require(screenshot_id)

    def _cpu_seconds(self) -> float:
        return float(self._running.shell(CPU_SECONDS))
