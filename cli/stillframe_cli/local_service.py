"""The service of one machine, beside its embedded environment: the HTTP API, events, webhooks and a worker."""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from stillframe.clients import Clients, connect_event_bus, connect_presigner, connect_receiver
from stillframe.errors import BrowserUnavailable
from stillframe.intake import Intake
from stillframe.link_keys import FixedLinkKeys
from stillframe.queue_settings import QueueSettings
from stillframe.settings import Settings
from stillframe.watches.store import WatchStore
from stillframe_api.api import Api
from stillframe_api.services import Services
from stillframe_notifier.wiring import wire_digester, wire_notifier
from stillframe_renderer.health import WorkerUnfit
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

from .api_server import serving
from .emulator import Emulator
from .live_page import Handle, with_live_page
from .poller import Poller
from .receive_loop import ReceiveLoop
from .shutdown import Shutdown
from .stream_reader import StreamReader, connect_streams, reading
from .watching.scheduler import Scheduler
from .watching.ticking import DIGEST_SECONDS, SCHEDULE_SECONDS, ticking
from .webhook_poller import delivering_webhooks
from .worker_log import WorkerLog, worker_log

WAIT_SECONDS = 5
GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call, and where callers find images: the key that signs links, and the origin of links to images."""

    needs_key: bool
    link_key: str
    images_origin: str


def run_service(
    listener: socket.socket,
    settings: Settings,
    clients: Clients,
    access: Access,
    emulator: Emulator,
    announce: Callable[[], None],
    *,
    has_worker: bool,
) -> None:
    """Answer, and with `has_worker` capture, until SIGTERM or Ctrl-C. Calls `announce` when the API answers.

    Raises click.ClickException if this machine cannot capture, or if the emulator ends by itself.
    """
    with worker_log(settings, "console", None) as log, contextlib.ExitStack() as stack:
        shutdown = Shutdown(GRACE_SECONDS, log.finish)
        stack.callback(shutdown.finish)
        run: Callable[[], None] = functools.partial(emulator.run_until, shutdown.stop)
        if has_worker:
            run = stack.enter_context(_worker(settings, clients, log, shutdown))
        event_bus = connect_event_bus()
        notifier = wire_notifier(settings, event_bus, clients.sqs)
        stack.enter_context(reading(StreamReader(connect_streams(), settings.table_name, notifier.handle)))
        stack.enter_context(delivering_webhooks(clients, settings))
        scheduler = Scheduler(WatchStore(clients, settings), Intake(clients, settings))
        stack.enter_context(ticking(scheduler.tick, SCHEDULE_SECONDS))
        stack.enter_context(ticking(wire_digester(settings, event_bus, clients).tick, DIGEST_SECONDS))
        stack.enter_context(serving(listener, _handle(settings, clients, access)))
        announce()
        try:
            run()
        except (WorkerUnfit, BrowserUnavailable) as error:
            raise _unfit(error) from error


def _handle(settings: Settings, clients: Clients, access: Access) -> Handle:
    services = Services.build(
        clients,
        settings,
        connect_presigner(access.images_origin),
        needs_key=access.needs_key,
        link_keys=FixedLinkKeys(access.link_key),
    )
    api = Api(services)
    # The page has no key to send.
    return api.handle if access.needs_key else with_live_page(api.handle, access.images_origin)


@contextlib.contextmanager
def _worker(settings: Settings, clients: Clients, log: WorkerLog, shutdown: Shutdown) -> Iterator[Callable[[], None]]:
    """A worker that is able to capture, and yields what makes it do so until the shutdown."""
    receiver = connect_receiver(WAIT_SECONDS)
    queue = QueueSettings.read(receiver, settings.queue_url)
    settings = queue.apply(settings)
    loop = ReceiveLoop(settings.tabs_ceiling)
    configure_process()
    runtime = shutdown.runtime = Runtime.build(
        settings, clients, [*log.observers, loop.observe], on_refused=log.on_refused, on_unhealthy=log.on_unhealthy
    )
    try:
        try:
            runtime.engine.warm_up()
            runtime.health.require_check()
        except (WorkerUnfit, BrowserUnavailable) as error:
            raise _unfit(error) from error
        poller = Poller(clients, settings, runtime.handler.handle, queue=queue, receiver=receiver)
        yield lambda: loop.run(
            poller,
            shutdown.stop,
            WAIT_SECONDS,
            until_empty=False,
            tabs=lambda: runtime.tabs.width,
            health=runtime.health,
            has_short_leases=queue.has_short_leases(settings),
        )
    finally:
        runtime.close()


def _unfit(error: Exception) -> click.ClickException:
    return click.ClickException(f"This machine cannot capture: {error}. `stillframe doctor` says more.")
