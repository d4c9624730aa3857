"""A simulated browser that renders in virtual time and fails as browsers do."""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from stillframe.clock import Deadline
from stillframe.errors import BrowserCrashed, BrowserUnavailable, CaptureTimeout, ConnectionFailed, UnknownHost
from stillframe.image.extra import Extra, ExtraKind
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import RenderResult
from stillframe.image.shot import Shot, ShotFacts
from stillframe.request.options import ImageFormat, RenderOptions, Viewport

from .network import Network
from .scheduler import Process, Scheduler


class Mishap(Enum):
    """What goes wrong with one render."""

    SLOW = "is slow"
    CRASHED = "crashes the browser"
    UNREACHABLE = "cannot connect"
    UNKNOWN_HOST = "does not find the host"
    DEFECT = "hits a bug in Stillframe"
    LOOP_CLOSED = "is canceled with the browser's loop"
    CANCELLED = "is canceled with its task"
    KILLED = "is interrupted: its process is killed"
    STALLED = "is delayed: its process stalls"


ERRORS: dict[Mishap, Callable[[], BaseException]] = {
    Mishap.CRASHED: lambda: BrowserCrashed("crashed"),
    Mishap.UNREACHABLE: lambda: ConnectionFailed("refused"),
    Mishap.UNKNOWN_HOST: lambda: UnknownHost("no such host"),
    Mishap.DEFECT: lambda: ValueError("a defect"),
    Mishap.LOOP_CLOSED: concurrent.futures.CancelledError,
    Mishap.CANCELLED: asyncio.CancelledError,
}
MISHAPS = tuple(Mishap)
# The name under which `Process.cannot` is asked about a browser that does not start.
RENDER = "render"
# The share of captures that store extras beside the image.
EXTRAS_SHARE = 0.3


def rendered_for(url: str, options: Mapping[str, Any]) -> bytes:
    """The end of an image's bytes, which says what it shows. The options are those of a record."""
    return f"{url} with {json.dumps(options, sort_keys=True)}".encode()


def shots_of(image: bytes) -> list[bytes]:
    """The shots that belong to an image, by what its bytes say."""
    count = re.search(rb"image \d+ with (\d+) shots ", image)
    assert count is not None
    return [image + b", shot %d" % number for number in range(int(count[1]))]


@dataclass(frozen=True)
class Renders:
    """Counts the renders of one schedule. No two in a row have as many shots, so that a mix of them is seen."""

    numbers: itertools.count[int]
    max_shots: int

    def begin(self, url: str, options: Mapping[str, Any]) -> bytes:
        """The bytes of the next image, which say how many shots it has and what it shows."""
        number = next(self.numbers)
        return f"image {number} with {number % (self.max_shots + 1)} shots of ".encode() + rendered_for(url, options)


class SimulatedBrowser:
    """Renders for one process. Every render gives different bytes, so that a stored image shows its render."""

    def __init__(
        self, scheduler: Scheduler, network: Network, process: Process, mishaps: float, renders: Renders
    ) -> None:
        self._scheduler = scheduler
        self._network = network
        self._process = process
        self._mishaps = mishaps
        self._renders = renders

    def render(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        scheduler, rng = self._scheduler, self._scheduler.rng
        if self._process.cannot(RENDER):
            scheduler.log(scheduler.current.name, "render finds no browser")
            raise BrowserUnavailable("no browser")
        mishap = rng.choice(MISHAPS) if rng.random() < self._mishaps else None
        scheduler.log(scheduler.current.name, f"render {mishap.value if mishap else 'begins'}")
        needed_ms = rng.randint(20_000, 120_000) if mishap is Mishap.SLOW else rng.randint(0, 3000)
        allowed_ms = int(deadline.remaining_seconds() * 1000)
        scheduler.sleep(min(needed_ms, allowed_ms))
        if mishap in ERRORS:
            raise ERRORS[mishap]()
        if mishap is Mishap.KILLED:
            scheduler.die("during a render")
        if mishap is Mishap.STALLED:
            self._network.stall(self._process)
        if needed_ms > allowed_ms:
            raise CaptureTimeout("the job's deadline")
        recorded = options.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        data = self._shown() + self._renders.begin(url, recorded)
        # The extras hold the bytes of their image, so that a mix of two renders is detected.
        kinds = (ExtraKind.HTML, ExtraKind.TEXT) if rng.random() < EXTRAS_SHARE else ()
        extras = tuple(Extra.page(kind, data) for kind in kinds)
        facts = PageFacts(http_status=200, final_url=url, title="A page")
        shots = tuple(_shot(number, data) for number, data in enumerate(shots_of(data)))
        return RenderResult(data, ImageFormat.PNG, 8, 8, facts, needed_ms, extras, shots=shots)

    def _shown(self) -> bytes:
        """What the image begins with: nothing, as these images are never decoded."""
        return b""


def _shot(number: int, data: bytes) -> Shot:
    return Shot(data, ImageFormat.PNG, 8, 8, ShotFacts(name=f"s{number}", viewport=Viewport(), device_scale_factor=1.0))
