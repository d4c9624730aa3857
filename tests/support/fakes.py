"""Fakes for pure logic and injected faults: a clock that is set, a renderer that is told what to do."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from lambda_src.renderer.capture import Capture
from lambda_src.renderer.comparison import Comparer
from lambda_src.renderer.metering import Meter
from lambda_src.renderer.tabs import Tabs
from lambda_src.renderer.work import Work
from stillframe.artifact import Screenshot
from stillframe.claim import Claim
from stillframe.clients import Clients, connect_secrets
from stillframe.clock import Clock, Deadline
from stillframe.delivery import Delivery, Message
from stillframe.extra import Extra
from stillframe.facts import PageFacts
from stillframe.options import ImageFormat, RenderOptions
from stillframe.politeness import HostSlots
from stillframe.queue import Backoff, CaptureQueue
from stillframe.request import CaptureRequest
from stillframe.secrets import SecretStore
from stillframe.series import Series
from stillframe.settings import Settings
from stillframe.store import ArtifactStore
from stillframe.turns import Turns


class SetClock:
    """Stands still until it is moved."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def advance(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


class SetContext:
    """An invocation with that many seconds left."""

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class ToldRenderer:
    """Renders a small image of one colour; `during` runs in mid-render and may raise."""

    def __init__(
        self,
        during: Callable[[], None] | None = None,
        colour: str = "#00aa00",
        extras: tuple[Extra, ...] = (),
    ) -> None:
        self.during = during
        self.colour = colour
        self.extras = extras
        self.rendered: list[str] = []

    def render(self, url: str, options: RenderOptions, deadline: Deadline) -> Screenshot:
        self.rendered.append(url)
        if self.during is not None:
            self.during()
        file = io.BytesIO()
        Image.new("RGB", (8, 8), self.colour).save(file, "PNG")
        facts = PageFacts(http_status=200, final_url=url, title="Told é")
        return Screenshot(file.getvalue(), ImageFormat.PNG, 8, 8, facts, 5, self.extras)


def message(
    request: CaptureRequest | str,
    message_id: str = "m-1",
    receive_count: int = 1,
    received_at_ms: int = 1_800_000_000_000,
) -> Message:
    """A delivery of a request, or of a body that may be none."""
    body = request if isinstance(request, str) else request.to_body()
    return Message(body, message_id, f"handle-{message_id}", receive_count, received_at_ms - 250, received_at_ms)


def capture_of(
    clients: Clients, settings: Settings, renderer: ToldRenderer, clock: Clock, worker: str = "worker-1"
) -> Capture:
    """A worker with everything real but the browser and the clock."""
    own = settings.model_copy(update={"worker_id": worker})

    artifacts = ArtifactStore(clients.s3, own.bucket_name, own.key_prefix)

    def claim_for(delivery: Delivery) -> Claim:
        return Claim(clients.dynamodb, own, clock, delivery)

    return Capture(
        settings=own,
        claim_for=claim_for,
        work=Work(
            renderer,
            artifacts,
            SecretStore((), connect_secrets),
            Comparer(Series(clients.dynamodb, own.table_name), artifacts),
            own,
        ),
        queue=CaptureQueue(clients.sqs, own.queue_url, own.dead_letter_queue_url),
        backoff=Backoff(own.backoff_base_seconds, own.backoff_cap_seconds),
        clock=clock,
        slots=HostSlots(clients.dynamodb, own.table_name, own.per_host, clock),
        turns=Turns(clients.dynamodb, own.table_name, clock),
        meter=Meter(lambda: clock.now_ms() / 1000, 2048, lambda: clock.now_ms() / 1000),
    )


def fixed_tabs(number: int) -> Tabs:
    """A gate that is never moved."""
    return Tabs(number, number, number, cpu_share=lambda: 0.0, memory_share=lambda: 0.0)
