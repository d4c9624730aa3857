"""How a capture is wired, once: for a worker, and for tests that replace a part of it."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass

from stillframe.clients import Clients, connect_secrets
from stillframe.clock import Clock
from stillframe.image.store import ImageStore
from stillframe.queue import Backoff, CaptureQueue
from stillframe.request.secret_grant import SecretGrant
from stillframe.request.secret_store import SecretStore
from stillframe.settings import Settings
from stillframe.table.claim import Claim
from stillframe.table.host_limit import HostLimit
from stillframe.table.last_capture import LastCaptures
from stillframe.table.table import Table
from stillframe.table.wait_count import WaitCounts

from ..checks import WorkerChecks
from ..load.metering import Meter
from .capture import Capture
from .comparison import Comparer
from .job import Job, Renderer, Tools


@dataclass(frozen=True, kw_only=True)
class CaptureParts:
    """The classes that a capture consists of."""

    table: type[Table] = Table
    claim: type[Claim] = Claim
    job: type[Job] = Job
    capture: type[Capture] = Capture
    images: type[ImageStore] = ImageStore
    host_limit: type[HostLimit] = HostLimit
    wait_counts: type[WaitCounts] = WaitCounts
    last_captures: type[LastCaptures] = LastCaptures
    comparer: type[Comparer] = Comparer


def wire_capture(
    settings: Settings,
    clients: Clients,
    renderer: Renderer,
    clock: Clock,
    meter: Meter,
    *,
    parts: CaptureParts | None = None,
    rng: random.Random | None = None,
) -> Capture:
    """Put a capture together. `rng` draws backoff and waiting times. Nothing is contacted yet."""
    parts = parts or CaptureParts()
    rng = rng or random.Random()
    table = parts.table(clients.dynamodb, settings.table_name)
    images = parts.images(clients.s3, settings.bucket_name, settings.key_prefix)
    tools = Tools(
        renderer=renderer,
        images=images,
        secrets=SecretStore(map(SecretGrant.parse, settings.secrets), connect_secrets),
        comparer=parts.comparer(parts.last_captures(table), images),
        meter=meter,
        clock=clock,
        settings=settings,
    )
    return parts.capture(
        settings=settings,
        new_claim=functools.partial(parts.claim, table, settings, clock),
        new_job=functools.partial(parts.job, tools),
        queue=CaptureQueue(clients.sqs, settings.queue_url, settings.dead_letter_queue_url),
        backoff=Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds, rng.uniform),
        clock=clock,
        meter=meter,
        host_limit=parts.host_limit(table, settings.per_host, clock, rng),
        wait_counts=parts.wait_counts(table, clock),
    )


def wire_checks(settings: Settings, clients: Clients, check_browser: Callable[[], None]) -> WorkerChecks:
    """Put the checks of a worker together. Nothing is contacted yet."""
    return WorkerChecks(
        check_browser,
        Table(clients.dynamodb, settings.table_name),
        ImageStore(clients.s3, settings.bucket_name, settings.key_prefix),
        CaptureQueue(clients.sqs, settings.queue_url, settings.dead_letter_queue_url),
    )
