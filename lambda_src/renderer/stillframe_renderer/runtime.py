"""The wiring: settings and clients in, a batch handler out. The only place that knows every part."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from stillframe.clients import Clients, connect_secrets
from stillframe.clock import Clock, SystemClock
from stillframe.cost import worker_memory_mb
from stillframe.egress.policy import EgressPolicy
from stillframe.image.store import ImageStore
from stillframe.queue import Backoff, CaptureQueue
from stillframe.request.message import Delivery
from stillframe.request.secret_grant import SecretGrant
from stillframe.request.secret_store import SecretStore
from stillframe.settings import Settings
from stillframe.table.claim import Claim
from stillframe.table.host_limit import HostLimit
from stillframe.table.last_capture import LastCaptures
from stillframe.table.wait_count import WaitCounts

from .browsers.engine import RenderEngine
from .chromium.browser import Chromium
from .chromium.executable import find_chromium
from .chromium.process import make_undumpable, use_few_arenas
from .guard.server import EgressGuard
from .guard.session import Limits
from .load.machine import CpuShare, available_cpus, collect_less
from .load.metering import Meter
from .load.tabs import Tabs
from .message.batch import BatchHandler
from .message.capture import Capture
from .message.comparison import Comparer
from .message.job import Work
from .observability import Observer

# What a worker begins with before it has measured anything.
TABS_PER_CPU = 2


@dataclass(frozen=True, slots=True)
class Runtime:
    """A worker: the handler of events and the browser behind it."""

    handler: BatchHandler
    engine: RenderEngine
    tabs: Tabs

    @classmethod
    def build(
        cls,
        settings: Settings,
        clients: Clients,
        observers: Iterable[Observer],
        clock: Clock | None = None,
        on_refused: Callable[[Mapping[str, int]], None] | None = None,
    ) -> Runtime:
        """Put a worker together. Raises SettingsError when there is no browser; nothing is started yet."""
        make_undumpable()
        use_few_arenas()
        clock = clock or SystemClock()
        engine = RenderEngine(
            launch=functools.partial(Chromium.launch, find_chromium(settings.chromium_path)),
            guard=EgressGuard(
                EgressPolicy.of(settings.allow_hosts, settings.allow_cidrs, settings.deny, settings.allow_ports),
                limits=Limits(page_bytes=settings.max_page_mb * 1024 * 1024),
                on_refused=on_refused,
            ),
            max_browser_mb=settings.max_browser_mb,
        )
        artifacts = ImageStore(clients.s3, settings.bucket_name, settings.key_prefix)
        comparer = Comparer(LastCaptures(clients.dynamodb, settings.table_name), artifacts)
        secrets = SecretStore(map(SecretGrant.parse, settings.secrets), connect_secrets)

        def claim_for(delivery: Delivery) -> Claim:
            return Claim(clients.dynamodb, settings, clock, delivery)

        capture = Capture(
            settings=settings,
            claim_for=claim_for,
            work=Work(engine, artifacts, secrets, comparer, settings),
            queue=CaptureQueue(clients.sqs, settings.queue_url, settings.dead_letter_queue_url),
            backoff=Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds),
            clock=clock,
            slots=HostLimit(clients.dynamodb, settings.table_name, settings.per_host, clock),
            turns=WaitCounts(clients.dynamodb, settings.table_name, clock),
            meter=Meter(engine.cpu_seconds, worker_memory_mb()),
        )
        cpus = available_cpus()
        tabs = Tabs(
            settings.fewest_tabs,
            settings.most_tabs,
            start=math.ceil(cpus) * TABS_PER_CPU,
            cpu_share=CpuShare(engine.cpu_seconds, cpus),
            memory_share=engine.memory_share,
        )
        runtime = cls(BatchHandler(capture, observers, tabs, clock), engine, tabs)
        collect_less()
        return runtime

    def close(self) -> None:
        """Finish what is under way and end the browser."""
        self.handler.close()
        self.engine.close()
