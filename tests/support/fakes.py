"""Fakes for pure logic and injected faults: a clock set by the test, a renderer without a browser."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from stillframe.clients import Clients
from stillframe.clock import Clock, Deadline
from stillframe.image.element import PageElement
from stillframe.image.extra import Extra
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import RenderResult
from stillframe.image.shot import Shot, ShotFacts
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import Message
from stillframe.request.options import ImageFormat, RenderOptions, Viewport
from stillframe.settings import Settings
from stillframe.table.claim import Claim
from stillframe_renderer.load.metering import Meter
from stillframe_renderer.load.tabs import TabGate
from stillframe_renderer.message.capture import Capture
from stillframe_renderer.message.wiring import wire_capture


class FakeClock:
    """A clock that only advances when the test advances it."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def advance(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


class FakeContext:
    """The context of an invocation with this many seconds left."""

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class FakeRenderer:
    """Renders a small image of one color; `during` runs during the render and may raise."""

    def __init__(
        self,
        during: Callable[[], None] | None = None,
        color: str = "#00aa00",
        extras: tuple[Extra, ...] = (),
        elements: tuple[PageElement, ...] = (),
        ignored_boxes: list[list[int]] | None = None,
        shots: tuple[Shot, ...] = (),
    ) -> None:
        self.during = during
        self.color = color
        self.extras = extras
        self.elements = elements
        self.ignored_boxes = ignored_boxes
        self.shots = shots
        self.rendered: list[str] = []

    def render(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        self.rendered.append(url)
        if self.during is not None:
            self.during()
        file = io.BytesIO()
        Image.new("RGB", (8, 8), self.color).save(file, "PNG")
        facts = PageFacts(http_status=200, final_url=url, title="Fake é", ignored_boxes=self.ignored_boxes)
        data = file.getvalue()
        return RenderResult(data, ImageFormat.PNG, 8, 8, facts, 5, self.extras, self.elements, self.shots)


def fake_shot(name: str, data: bytes, image_format: ImageFormat = ImageFormat.PNG) -> Shot:
    """A shot with any bytes."""
    return Shot(data, image_format, 8, 6, ShotFacts(name=name, viewport=Viewport(), device_scale_factor=1.0))


def message(
    request: CaptureRequest | str,
    message_id: str = "m-1",
    receive_count: int = 1,
    received_at_ms: int = 1_800_000_000_000,
) -> Message:
    """A message with a request, or with any text as its body."""
    body = request if isinstance(request, str) else request.to_body()
    return Message(body, message_id, f"handle-{message_id}", receive_count, received_at_ms - 250, received_at_ms)


def fake_meter(clock: Clock) -> Meter:
    """A meter that counts one second of the clock as one second of CPU time."""
    return Meter(lambda: clock.now_ms() / 1000, 2048, lambda: clock.now_ms() / 1000)


def capture_with(
    clients: Clients, settings: Settings, renderer: FakeRenderer, clock: Clock, worker: str = "worker-1"
) -> Capture:
    """A worker in which everything is real except the browser and the clock."""
    worker_settings = settings.model_copy(update={"worker_id": worker})
    return wire_capture(worker_settings, clients, renderer, clock, fake_meter(clock))


@contextlib.contextmanager
def dying_before_completion() -> Iterator[None]:
    """Make workers in this block die after storing an image and before completing the record."""

    def die(claim: Claim, data_record: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Claim, "_update_record", die)
        with pytest.raises(KeyboardInterrupt):
            yield


def fixed_tabs(number: int) -> TabGate:
    """A gate whose width never changes."""
    return TabGate(number, number, number, cpu_share=lambda: 0.0, memory_share=lambda: 0.0)
