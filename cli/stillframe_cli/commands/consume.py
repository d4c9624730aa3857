"""`consume`: the worker for machines and containers."""

from __future__ import annotations

import contextlib
import logging

import click

from stillframe import log_messages
from stillframe.clients import Clients, connect_cloudwatch, connect_receiver
from stillframe.errors import BrowserUnavailable
from stillframe.queue_settings import QueueSettings
from stillframe.settings import Settings, SettingsError
from stillframe_renderer.health import WorkerUnfit
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

from ..heartbeat import Heartbeat
from ..input.finite import FiniteRange
from ..poller import Poller
from ..publisher import MetricPublisher
from ..receive_loop import ReceiveLoop
from ..resources import is_on_this_machine, resource_options
from ..shutdown import Shutdown
from ..tabs import AUTO, tabs_option
from ..task_protection import TaskProtection
from ..worker_log import WorkerLog, worker_log

logger = logging.getLogger("stillframe.consumer")

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
    type=FiniteRange(0),
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

    A worker that cannot work (no browser, no disk space, no permission) receives nothing, and ends with status 1 when
    that does not pass. The queue's own visibility timeout and maxReceiveCount apply, whatever the environment says.

    \b
    Example:
      stillframe consume --continuous --worker-id w-1 --stack Stillframe
    """
    settings = _with_options(settings, worker_id, log_level, tabs)
    heartbeat = Heartbeat.from_environment()
    try:
        heartbeat.begin()
    except OSError as error:
        raise SettingsError(f"STILLFRAME_HEARTBEAT: the file cannot be written: {error}") from error
    publisher = None
    if settings.publish_metrics:
        publisher = MetricPublisher(connect_cloudwatch(), settings.service, is_on_this_machine(settings))
    with worker_log(settings, log_format, publisher) as log, contextlib.ExitStack() as stack:
        shutdown = Shutdown(grace, log.finish)
        stack.callback(shutdown.finish)
        if publisher is not None:
            stack.callback(publisher.close)
        receiver = connect_receiver(WAIT_SECONDS)
        queue = QueueSettings.read(receiver, settings.queue_url)
        settings = queue.apply(settings)
        loop = ReceiveLoop(settings.tabs_ceiling)
        configure_process()
        runtime = shutdown.runtime = _runtime(settings, clients, log, loop)
        stack.callback(runtime.close)
        protection = TaskProtection(lambda: loop.is_busy, settings.protect_seconds)
        stack.callback(protection.close)
        _start_browser(runtime, log)
        poller = Poller(clients, settings, runtime.handler.handle, batch_size, queue, receiver)
        logger.info("consuming", extra={"queueUrl": settings.queue_url, "tabs": settings.tabs or AUTO})
        try:
            loop.run(
                poller,
                shutdown.stop,
                WAIT_SECONDS if continuous else WAIT_SECONDS_UNTIL_EMPTY,
                until_empty=not continuous,
                tabs=lambda: runtime.tabs.width,
                health=runtime.health,
                may_receive=protection.may_receive,
                beat=heartbeat.beat,
                has_short_leases=queue.has_short_leases(settings),
            )
        except WorkerUnfit as error:
            raise click.ClickException(f"This worker cannot work, and ends: {error}") from error
        stack.close()
        logger.info("stopped" if shutdown.stop.is_set() else "the queue is empty", extra={"messages": loop.received})


def _runtime(settings: Settings, clients: Clients, log: WorkerLog, loop: ReceiveLoop) -> Runtime:
    return Runtime.build(
        settings,
        clients,
        [*log.observers, loop.observe],
        on_refused=log.on_refused,
        on_unhealthy=log.on_unhealthy,
        on_batch_end=log.on_batch_end,
    )


def _start_browser(runtime: Runtime, log: WorkerLog) -> None:
    """Start the browser before the first receive. Raises BrowserUnavailable.

    What else may be missing (disk space, permissions) may come back, so the worker waits for it, and receives nothing.
    """
    try:
        runtime.engine.warm_up()
    except BrowserUnavailable as error:
        logger.error(log_messages.WORKER_UNHEALTHY, extra={"reason": f"{error.code}: {error.message}"})
        log.on_unhealthy()
        raise
    runtime.health.require_check()


def _with_options(settings: Settings, worker_id: str | None, log_level: str | None, tabs: int | str | None) -> Settings:
    chosen = {"worker_id": worker_id, "log_level": log_level}
    settings = settings.model_copy(update={name: value for name, value in chosen.items() if value is not None})
    if tabs is None:
        return settings
    return settings.model_copy(update={"tabs": None if tabs == AUTO else tabs})
