"""`consume`: the worker for machines and containers."""

from __future__ import annotations

import logging
import signal
import sys
import threading

import click

from stillframe.clients import Clients, connect_cloudwatch
from stillframe.settings import Settings
from stillframe_renderer.observability import MetricEmitter, Observer, json_logger, log_outcome
from stillframe_renderer.runtime import Runtime

from ..console_log import console_logger
from ..intake import Intake
from ..poller import Poller
from ..protection import TaskProtection
from ..publisher import MetricPublisher
from ..resources import resource_options
from ..tabs import AUTO, tabs_option

logger = logging.getLogger("stillframe.consumer")

# Long polling takes up to 20 s; an idle worker shall still stop well within the 10 s that `docker stop` waits.
WAIT_SECONDS = 5
DRAIN_WAIT_SECONDS = 1
# What `docker stop` waits is 10 s; compose.yaml and the fleet give more.
GRACE_SECONDS = 50.0


@click.command("consume")
@click.option("--continuous", is_flag=True, help="Wait for more when the queue is empty, until SIGTERM.")
@click.option("--worker-id", metavar="W", help="Name in logs and records.  [default: host and process id]")
@click.option("--batch-size", type=click.IntRange(1, 10), default=10, show_default=True)
@tabs_option
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=GRACE_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="After SIGTERM: what is under way may end in this time, then it is handed back.",
)
@click.option("--log-format", type=click.Choice(["console", "json"]), default="console", show_default=True)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False))
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
    """Long-poll the queue and capture what comes, with one warm browser.

    Ends when the queue is empty, or with --continuous on SIGTERM: what has not begun goes back to the queue at once,
    what is under way is finished, or handed back when its grace is over.
    """
    chosen = {"worker_id": worker_id, "log_level": log_level}
    settings = settings.model_copy(update={name: value for name, value in chosen.items() if value is not None})
    if tabs is not None:
        settings = settings.model_copy(update={"tabs": None if tabs == AUTO else tabs})
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
    publisher = MetricPublisher(connect_cloudwatch()) if settings.publish_metrics else None
    if publisher is not None:
        observers.append(publisher)
        on_refused = on_refused or publisher.refused
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    intake = Intake(settings.most_tabs)
    runtime = Runtime.build(settings, clients, [*observers, intake.observe], on_refused=on_refused)
    protection = TaskProtection(lambda: intake.is_busy)
    over = threading.Event()
    threading.Thread(target=_drain, args=(runtime, stop, over, grace), name="drain", daemon=True).start()
    try:
        runtime.engine.warm_up()
        poller = Poller(clients, settings, runtime.handler.handle, batch_size)
        logger.info("consuming", extra={"queueUrl": settings.queue_url, "tabs": settings.tabs or AUTO})
        wait_seconds = WAIT_SECONDS if continuous else DRAIN_WAIT_SECONDS
        intake.run(poller, stop, wait_seconds, until_empty=not continuous, tabs=lambda: runtime.tabs.width)
    finally:
        over.set()
        runtime.close()
        protection.close()
        if publisher is not None:
            publisher.close()
    logger.info("stopped" if stop.is_set() else "the queue is empty", extra={"messages": intake.received})


def _drain(runtime: Runtime, stop: threading.Event, over: threading.Event, grace_seconds: float) -> None:
    """Once it is told to stop: begin nothing, and end what is not over in time. Its claims are released."""
    stop.wait()
    runtime.handler.stop()
    if not over.wait(grace_seconds):
        logger.warning("the grace is over, what is under way is handed back")
        runtime.engine.close()
