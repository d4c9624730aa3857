"""`consume`: the worker for machines and containers."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Mapping

import click

from stillframe.clients import Clients, connect_cloudwatch
from stillframe.settings import Settings
from stillframe_renderer.observability import MetricEmitter, Observer, json_logger, log_outcome
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

from ..console_log import console_logger
from ..poller import Poller
from ..publisher import MetricPublisher
from ..receive_loop import ReceiveLoop
from ..resources import resource_options
from ..tabs import AUTO, tabs_option
from ..task_protection import TaskProtection

logger = logging.getLogger("stillframe.consumer")

OnRefused = Callable[[Mapping[str, int]], None]

# A long poll may take up to 20 s, but an idle worker must stop well within the 10 s that `docker stop` waits.
WAIT_SECONDS = 5
WAIT_SECONDS_UNTIL_EMPTY = 1
# `docker stop` waits for 10 s by default; compose.yaml and the fleet set more.
GRACE_SECONDS = 50.0


@click.command("consume")
@click.option(
    "--continuous", is_flag=True, help="Keep waiting for messages when the queue is empty, until SIGTERM or Ctrl-C."
)
@click.option(
    "--worker-id", metavar="ID", help="Name of this worker in logs and records.  [default: host name and process id]"
)
@click.option(
    "--batch-size",
    type=click.IntRange(1, 10),
    metavar="N",
    default=10,
    show_default=True,
    help="Receive at most this many messages at once.",
)
@tabs_option
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=GRACE_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="After SIGTERM, let running captures finish for this long before returning them to the queue.",
)
@click.option(
    "--log-format",
    type=click.Choice(["console", "json"]),
    default="console",
    show_default=True,
    help="Log lines for people on stderr, or JSON lines with metrics on stdout.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    help="Lowest level to log.  [env var: LOG_LEVEL]",
)
@resource_options
def command(
    continuous: bool,
    worker_id: str | None,
    batch_size: int,
    tabs: int | str | None,
    grace: float,
    log_format: str,
    log_level: str | None,
    settings: Settings,
    clients: Clients,
) -> None:
    """Receive requests from the queue and capture them in one warm browser.

    Stops when the queue is empty, or with --continuous on SIGTERM. On SIGTERM, captures that are running may finish
    within the grace period; all other messages go back to the queue at once.
    """
    settings = _with_options(settings, worker_id, log_level, tabs)
    publisher = MetricPublisher(connect_cloudwatch()) if settings.publish_metrics else None
    observers, on_refused = _set_up_logs_and_metrics(settings, log_format, publisher)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    loop = ReceiveLoop(settings.tabs_ceiling)
    configure_process()
    runtime = Runtime.build(settings, clients, [*observers, loop.observe], on_refused=on_refused)
    protection = TaskProtection(lambda: loop.is_busy)
    finished = threading.Event()
    threading.Thread(
        target=_stop_captures_on_signal, args=(runtime, stop, finished, grace), name="stop", daemon=True
    ).start()
    try:
        runtime.engine.warm_up()
        poller = Poller(clients, settings, runtime.handler.handle, batch_size)
        logger.info("consuming", extra={"queueUrl": settings.queue_url, "tabs": settings.tabs or AUTO})
        wait_seconds = WAIT_SECONDS if continuous else WAIT_SECONDS_UNTIL_EMPTY
        loop.run(poller, stop, wait_seconds, until_empty=not continuous, tabs=lambda: runtime.tabs.width)
    finally:
        finished.set()
        runtime.close()
        protection.close()
        if publisher is not None:
            publisher.close()
    logger.info("stopped" if stop.is_set() else "the queue is empty", extra={"messages": loop.received})


def _with_options(settings: Settings, worker_id: str | None, log_level: str | None, tabs: int | str | None) -> Settings:
    chosen = {"worker_id": worker_id, "log_level": log_level}
    settings = settings.model_copy(update={name: value for name, value in chosen.items() if value is not None})
    if tabs is None:
        return settings
    return settings.model_copy(update={"tabs": None if tabs == AUTO else tabs})


def _set_up_logs_and_metrics(
    settings: Settings, log_format: str, publisher: MetricPublisher | None
) -> tuple[list[Observer], OnRefused | None]:
    """Configure logging. Returns the observers of outcomes, and the observer of refused connections."""
    observers: list[Observer] = [log_outcome]
    on_refused: OnRefused | None = None
    if log_format == "json":
        # A container's log driver carries stdout to CloudWatch, metrics included.
        json_logger(settings.log_level, sys.stdout).append_keys(workerId=settings.worker_id)
        metrics = MetricEmitter(sys.stdout)
        observers.append(metrics)
        on_refused = metrics.refused
    else:
        console_logger(settings.log_level, settings.worker_id)
    if publisher is not None:
        observers.append(publisher)
        on_refused = on_refused or publisher.refused
    return observers, on_refused


def _stop_captures_on_signal(
    runtime: Runtime, stop: threading.Event, finished: threading.Event, grace_seconds: float
) -> None:
    """Wait for the signal, then start no more captures, and abort those that still run after the grace period.

    The claims of aborted captures are released, and their messages go back to the queue.
    """
    stop.wait()
    runtime.handler.stop()
    if not finished.wait(grace_seconds):
        logger.warning("the grace period is over; running captures go back to the queue")
        runtime.engine.close()
