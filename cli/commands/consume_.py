"""`consume`: the worker for machines and containers."""

from __future__ import annotations

import logging
import signal
import sys
import threading

import click

from lambda_src.renderer.observability import MetricEmitter, Observer, json_logger, log_outcome
from lambda_src.renderer.runtime import Runtime
from stillframe.clients import Clients
from stillframe.settings import Settings

from ..console_log import console_logger
from ..intake import Intake
from ..poller import Poller
from ..resources import resource_options

logger = logging.getLogger("stillframe.consumer")

# Long polling takes up to 20 s; an idle worker shall still stop well within the 10 s that `docker stop` waits.
WAIT_SECONDS = 5
DRAIN_WAIT_SECONDS = 1


@click.command("consume")
@click.option("--continuous", is_flag=True, help="Wait for more when the queue is empty, until SIGTERM.")
@click.option("--worker-id", metavar="W", help="Name in logs and records.  [default: host and process id]")
@click.option("--batch-size", type=click.IntRange(1, 10), default=10, show_default=True)
@click.option("--tabs", type=click.IntRange(1, 64), help="Pages open at once.  [default: STILLFRAME_TABS or 4]")
@click.option("--log-format", type=click.Choice(["console", "json"]), default="console", show_default=True)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False))
@resource_options
def command(
    continuous: bool,
    worker_id: str | None,
    batch_size: int,
    tabs: int | None,
    log_format: str,
    log_level: str | None,
    settings: Settings,
    clients: Clients,
) -> None:
    """Long-poll the queue and capture what comes, with one warm browser.

    Ends when the queue is empty, or with --continuous on SIGTERM; what is under way is finished first.
    """
    chosen = {"worker_id": worker_id, "tabs": tabs, "log_level": log_level}
    settings = settings.model_copy(update={name: value for name, value in chosen.items() if value is not None})
    observers: list[Observer] = [log_outcome]
    on_refused = None
    if log_format == "json":
        # Standard output is what a container's log driver carries to CloudWatch, metrics included.
        json_logger(settings.log_level, sys.stdout).append_keys(workerId=settings.worker_id)
        metrics = MetricEmitter(sys.stdout)
        observers.append(metrics)
        on_refused = metrics.refused
    else:
        console_logger(settings.log_level, settings.worker_id)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    intake = Intake(settings.tabs)
    runtime = Runtime.build(settings, clients, [*observers, intake.observe], on_refused=on_refused)
    try:
        runtime.engine.warm_up()
        poller = Poller(clients, settings, runtime.handler.handle, batch_size)
        logger.info("consuming", extra={"queueUrl": settings.queue_url, "tabs": settings.tabs})
        wait_seconds = WAIT_SECONDS if continuous else DRAIN_WAIT_SECONDS
        intake.run(poller, stop, wait_seconds, until_empty=not continuous)
    finally:
        runtime.close()
    logger.info("stopped" if stop.is_set() else "the queue is empty", extra={"messages": intake.received})
