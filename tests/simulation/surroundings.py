"""What the processes of a schedule share, and the code that they run: workers, producers, an operator."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import click
from botocore.exceptions import BotoCoreError, ClientError

from stillframe.clients import Clients
from stillframe.errors import ServiceUnavailable
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import REDRIVEN_FROM
from stillframe.settings import Settings
from stillframe_cli.load.sender import InlineExecutor
from stillframe_cli.redriver import Redriver
from stillframe_cli.watching.scheduler import Scheduler as WatchScheduler
from stillframe_notifier.wiring import NotifierParts
from stillframe_renderer.health import WorkerHealth
from stillframe_renderer.message.capture import Capture
from stillframe_renderer.message.wiring import CaptureParts, wire_capture
from stillframe_renderer.observers import Observers
from tests.support.fakes import fake_meter

from .browser import Renders, SimulatedBrowser
from .event_promises import EventPromises
from .invariants import MAX_SKEW_MS, Invariants
from .network import Network
from .plan import Plan
from .scheduler import Process, Scheduler, SkewedClock


@dataclass(frozen=True)
class Parts:
    """The parts of the code under test; a seeded bug replaces one of them."""

    capture: CaptureParts = field(default_factory=CaptureParts)
    producer: type[Producer] = Producer
    health: type[WorkerHealth] = WorkerHealth
    observers: type[Observers] = Observers
    notifier: NotifierParts = field(default_factory=NotifierParts)
    acknowledge_first: bool = False
    asks_the_queue: bool = True
    watch_scheduler: type[WatchScheduler] = WatchScheduler
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Surroundings:
    """What all processes of one schedule share."""

    plan: Plan
    scheduler: Scheduler
    network: Network
    services: Clients
    settings: Settings
    parts: Parts
    images: itertools.count[int]
    invariants: Invariants
    events: EventPromises
    is_calm: bool = False
    new_browser: Callable[..., SimulatedBrowser] = SimulatedBrowser

    def clients(self, process: Process) -> Clients:
        client = self.network.client
        services = self.services
        return Clients(
            sqs=client(services.sqs, process),
            dynamodb=client(services.dynamodb, process),
            s3=client(services.s3, process),
        )

    def process(self, name: str) -> Process:
        return Process(name, skew_ms=self.scheduler.rng.randint(-MAX_SKEW_MS, MAX_SKEW_MS))

    def capture(self, process: Process) -> Capture:
        """A worker, wired as `Runtime.build` does it, but with a simulated browser and simulated services."""
        clock = SkewedClock(self.scheduler, process)
        settings = self.settings.model_copy(update={"worker_id": process.name, "per_host": self.plan.per_host})
        mishaps = 0.0 if self.is_calm else self.plan.mishaps
        renders = Renders(self.images, self.plan.max_shots)
        browser = self.new_browser(self.scheduler, self.network, process, mishaps, renders)
        clients, rng = self.clients(process), self.scheduler.rng
        return wire_capture(settings, clients, browser, clock, fake_meter(clock), parts=self.parts.capture, rng=rng)


def produce(surroundings: Surroundings, process: Process, requests: list[CaptureRequest]) -> None:
    """Send the requests, and retry twice after a failure, as people do."""
    clock = SkewedClock(surroundings.scheduler, process)
    producer = surroundings.parts.producer(surroundings.clients(process), surroundings.settings, clock, InlineExecutor)
    for _ in range(3):
        try:
            list(producer.send(requests))
            return
        except (ClientError, BotoCoreError, ServiceUnavailable, click.ClickException):
            surroundings.scheduler.log(process.name, "could not send, retries")


def redrive(surroundings: Surroundings, process: Process) -> None:
    """Redrive the dead letters as an operator does: with `stillframe redrive` or with AWS's own redrive."""
    clients = surroundings.clients(process)
    if not surroundings.plan.is_marked:
        clients = replace(clients, sqs=cast(Any, _Unmarked(clients.sqs)))
    try:
        Redriver(clients, surroundings.settings).redrive()
    except (ClientError, BotoCoreError):
        surroundings.scheduler.log(process.name, "could not redrive")


class _Unmarked:
    """Behaves like StartMessageMoveTask: new message ids, and no mark on the messages that it moves."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send_message(self, *, MessageAttributes: dict[str, Any], **arguments: Any) -> Any:
        kept = {name: value for name, value in MessageAttributes.items() if name != REDRIVEN_FROM}
        return self._client.send_message(MessageAttributes=kept, **arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
