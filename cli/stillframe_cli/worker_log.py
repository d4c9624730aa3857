"""Where a worker's logs and metrics go, and who watches its deliveries."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, cast

from stillframe.settings import Settings
from stillframe_renderer.embedded_metrics import MetricEmitter
from stillframe_renderer.observability import Observer, json_logger, log_outcome

from .console_log import console_logger
from .log_stream import LogStream
from .publisher import MetricPublisher

JSON_FORMAT = "json"
# At the end, a reader that is slow gets this long to take the last lines.
FINISH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class WorkerLog:
    """The observers of deliveries, of refused connections, of pauses because the worker cannot work, and of batches."""

    observers: tuple[Observer, ...]
    on_refused: Callable[[Mapping[str, int]], None] | None
    on_unhealthy: Callable[[], None]
    on_batch_end: Callable[[], None]
    finish: Callable[[float], None]


@contextlib.contextmanager
def worker_log(settings: Settings, log_format: str, publisher: MetricPublisher | None) -> Iterator[WorkerLog]:
    """Configure the logs of this process, and finish them at the end of the block."""
    # A container's log driver carries stdout to CloudWatch, metrics included.
    lines = LogStream(sys.stdout if log_format == JSON_FORMAT else sys.stderr)
    stream = cast(IO[str], lines)
    sinks: list[MetricEmitter | MetricPublisher] = []
    emitter: MetricEmitter | None = None
    if log_format == JSON_FORMAT:
        json_logger(settings.log_level, stream).append_keys(workerId=settings.worker_id)
        emitter = MetricEmitter(stream, settings.service)
        sinks.append(emitter)
    else:
        console_logger(settings.log_level, settings.worker_id, stream)
    if publisher is not None:
        sinks.append(publisher)

    def on_unhealthy() -> None:
        for sink in sinks:
            sink.unhealthy()

    def on_batch_end() -> None:
        if emitter is not None:
            emitter.flush()

    on_refused = sinks[0].refused if sinks else None
    try:
        yield WorkerLog((log_outcome, *sinks), on_refused, on_unhealthy, on_batch_end, lines.finish)
    finally:
        lines.finish(FINISH_SECONDS)
