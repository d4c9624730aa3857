"""A worker: the event handler and the browsers behind it. The only module that knows every part."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.cost import billed_memory_mb
from stillframe.settings import Settings
from stillframe.table.table import Table
from stillframe.tenants.usage import UsageBook

from .browsers.engine import RenderEngine
from .chromium.browser import Chromium
from .chromium.executable import find_chromium
from .chromium.memory import default_limit_mb, default_worker_limit_mb
from .guard.server import EgressGuard
from .guard.session import Limits
from .health import WorkerHealth
from .load.free_memory import FreeMemory
from .load.machine import CpuShare, available_cpus
from .load.metering import Meter
from .load.tabs import TabGate
from .message.batch import BatchHandler
from .message.wiring import wire_capture, wire_checks
from .observability import Observer
from .observers import shielded
from .usage_meter import UsageMeter

# The number of tabs that a worker starts with, before it has measured anything.
TABS_PER_CPU = 2


def build_engine(settings: Settings, on_refused: Callable[[Mapping[str, int]], None] | None = None) -> RenderEngine:
    """The browsers of a worker. Nothing is started yet. Raises SettingsError if no browser is found.

    `on_refused` is told of the connections that the egress guard refused in each capture, by decision.
    """
    memory_mb = settings.function_memory_mb
    return RenderEngine(
        launch=functools.partial(Chromium.launch, find_chromium(settings.chromium_path)),
        guard=EgressGuard(
            settings.egress_policy,
            limits=Limits(page_bytes=settings.max_page_mb * 1024 * 1024),
            on_refused=shielded(on_refused) if on_refused is not None else None,
        ),
        max_browser_mb=settings.max_browser_mb or default_limit_mb(memory_mb),
        max_worker_mb=default_worker_limit_mb(memory_mb),
        free_memory=FreeMemory(memory_mb),
    )


@dataclass(frozen=True, slots=True)
class Runtime:
    """A wired worker. The process itself is configured by `process_setup`."""

    handler: BatchHandler
    engine: RenderEngine
    tabs: TabGate
    health: WorkerHealth

    @classmethod
    def build(
        cls,
        settings: Settings,
        clients: Clients,
        observers: Iterable[Observer],
        clock: Clock | None = None,
        on_refused: Callable[[Mapping[str, int]], None] | None = None,
        on_unhealthy: Callable[[], None] = lambda: None,
        on_batch_end: Callable[[], None] = lambda: None,
        engine: RenderEngine | None = None,
    ) -> Runtime:
        """Wire a worker. Nothing is started yet. Raises SettingsError if no browser is found.

        `on_refused` is told of the connections that the egress guard refused, by decision; `on_unhealthy` is called
        each time that the worker pauses because it cannot work, `on_batch_end` after the observers at each batch's end.
        An `engine` that is given has been built with them.
        """
        clock = clock or SystemClock()
        memory_mb = settings.function_memory_mb
        engine = engine or build_engine(settings, on_refused)
        meter = Meter(engine.cpu_seconds, billed_memory_mb(memory_mb))
        capture = wire_capture(settings, clients, engine, clock, meter)
        cpus = available_cpus(memory_mb)
        tabs = TabGate(
            settings.tabs_floor,
            settings.tabs_ceiling,
            start=math.ceil(cpus) * TABS_PER_CPU,
            cpu_share=CpuShare(engine.cpu_seconds, cpus),
            memory_share=engine.memory_share,
        )
        report = shielded(lambda _: on_unhealthy())
        health = WorkerHealth(wire_checks(settings, clients, engine.check), lambda: report(None))
        usage = UsageMeter(UsageBook(Table(clients.dynamodb, settings.table_name), clock))
        handler = BatchHandler(capture, [*observers, usage], tabs, clock, health, on_batch_end)
        return cls(handler, engine, tabs, health)

    def close(self) -> None:
        """Finish the captures in progress, then end the browsers."""
        self.handler.close()
        self.engine.close()
