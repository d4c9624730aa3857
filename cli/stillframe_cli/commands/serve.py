"""`serve`: the whole service on this machine: the embedded environment, a worker, the HTTP API, and events."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import click

from stillframe.clients import Clients, connect_event_bus, connect_presigner, connect_receiver
from stillframe.errors import BrowserUnavailable
from stillframe.link_keys import FixedLinkKeys
from stillframe.queue_settings import QueueSettings
from stillframe.settings import Settings
from stillframe_api.api import Api
from stillframe_api.services import Services
from stillframe_notifier.wiring import wire_notifier
from stillframe_renderer.health import WorkerUnfit
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

from ..api_server import serving
from ..console import json_option, print_json, print_note
from ..emulator import EVENT_SERVICES, LOOPBACK, listen, running_emulator
from ..exports import write_exports
from ..files import OutputPath
from ..input.allow_hosts import allow_host_option
from ..live_page import with_live_page
from ..local_link_key import local_link_key
from ..poller import Poller
from ..provision import QueuePolicy, provision
from ..receive_loop import ReceiveLoop
from ..shutdown import Shutdown
from ..state_directory import make_private
from ..stream_reader import StreamReader, connect_streams, reading
from ..tabs import AUTO, tabs_option
from ..webhook_poller import delivering_webhooks
from ..webhook_provision import provision_webhooks
from ..worker_log import worker_log
from .sign import KEY_VARIABLE, URL_VARIABLE

WAIT_SECONDS = 5
GRACE_SECONDS = 10.0


@click.command("serve")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=8080,
    show_default=True,
    help="Port of the API; 0 selects a free one.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep queues, table and objects in this directory. Without it, they are lost at the end.",
)
@click.option("--keys", "needs_key", is_flag=True, help="Let in only holders of keys (`stillframe keys create`).")
@click.option(
    "--env-file",
    type=OutputPath(),
    metavar="FILE",
    help="Write the variables to this file with which other commands find this service, for `source`.",
)
@allow_host_option
@tabs_option
@json_option
def command(
    port: int,
    state: Path | None,
    needs_key: bool,
    env_file: Path | None,
    allow_hosts: tuple[str, ...],
    tabs: int | str | None,
    as_json: bool,
) -> None:
    """Run queue, table, bucket, a worker, the HTTP API and events on this machine until Ctrl-C.

    The API answers on loopback only. Without --keys, it asks nobody for credentials: it is for you, and for what runs
    on this machine. Each completed screenshot is an event on the embedded EventBridge, and the webhooks of requests are
    called.

    \b
    Examples:
      stillframe serve --port 8080
      stillframe serve --keys --env-file env.sh
    """
    # A port that is taken is found out before anything is started.
    with listen(LOOPBACK, port) as listener:
        kept = make_private(state) if state is not None else None
        with running_emulator(0, kept, services=EVENT_SERVICES) as emulator:
            inherited = dict(os.environ)
            emulator.use_in_this_process()
            clients = Clients.connect()
            names = {**provision(clients, QueuePolicy(), has_stream=True), **provision_webhooks(clients)}
            chosen = {} if tabs in (None, AUTO) else {"STILLFRAME_TABS": str(tabs)}
            # As in `shoot`: the pages are the user's own choice, and somebody is waiting for the images.
            local = {"STILLFRAME_ALLOW_HOSTS": ",".join(allow_hosts), "STILLFRAME_BACKOFF_BASE_SECONDS": "1"}
            settings = Settings.from_environment(**{**names, **local, **chosen})
            link_key = local_link_key(kept)
            address = "http://{}:{}".format(*listener.getsockname())
            if env_file is not None:
                exports = {**emulator.exports, **names, KEY_VARIABLE: link_key, URL_VARIABLE: address}
                write_exports(env_file, exports, inherited)
            _serve(listener, settings, clients, Access(needs_key, link_key), emulator.endpoint, as_json)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call: whether callers need keys, and the key that signs links."""

    needs_key: bool
    link_key: str


def _serve(
    listener: socket.socket, settings: Settings, clients: Clients, access: Access, endpoint: str, as_json: bool
) -> None:
    """Capture and answer until SIGTERM or Ctrl-C."""
    with worker_log(settings, "console", None) as log, contextlib.ExitStack() as stack:
        shutdown = Shutdown(GRACE_SECONDS, log.finish)
        stack.callback(shutdown.finish)
        receiver = connect_receiver(WAIT_SECONDS)
        queue = QueueSettings.read(receiver, settings.queue_url)
        settings = queue.apply(settings)
        loop = ReceiveLoop(settings.tabs_ceiling)
        configure_process()
        runtime = shutdown.runtime = Runtime.build(
            settings, clients, [*log.observers, loop.observe], on_refused=log.on_refused, on_unhealthy=log.on_unhealthy
        )
        stack.callback(runtime.close)
        try:
            runtime.engine.warm_up()
            runtime.health.require_check()
            notifier = wire_notifier(settings, connect_event_bus(), clients.sqs)
            stream = StreamReader(connect_streams(), settings.table_name, notifier.handle)
            stack.enter_context(reading(stream))
            stack.enter_context(delivering_webhooks(clients, settings))
            keys = FixedLinkKeys(access.link_key)
            api = Api(
                Services.build(clients, settings, connect_presigner(), needs_key=access.needs_key, link_keys=keys)
            )
            # The page has no key to send.
            handle = api.handle if access.needs_key else with_live_page(api.handle)
            url = stack.enter_context(serving(listener, handle))
            _announce(url, access, endpoint, as_json)
            loop.run(
                Poller(clients, settings, runtime.handler.handle, queue=queue, receiver=receiver),
                shutdown.stop,
                WAIT_SECONDS,
                until_empty=False,
                tabs=lambda: runtime.tabs.width,
                health=runtime.health,
                has_short_leases=queue.has_short_leases(settings),
            )
        except (WorkerUnfit, BrowserUnavailable) as error:
            raise click.ClickException(
                f"This machine cannot capture: {error}. `stillframe doctor` says more."
            ) from error


def _announce(url: str, access: Access, endpoint: str, as_json: bool) -> None:
    if as_json:
        print_json({"url": url, "docs": f"{url}/docs", "endpoint": endpoint, "linkKey": access.link_key})
    else:
        click.echo(url)
    if access.needs_key:
        print_note("It wants a key with each request: source the file of --env-file, then `stillframe keys create`.")
    print_note(f"To sign links: {KEY_VARIABLE}={access.link_key} stillframe sign URL --api {url}")
    print_note(f"An event of each screenshot is on the default bus of EventBridge at {endpoint}.")
    of_page = "" if access.needs_key else f"Open {url} in a browser. "
    print_note(f"{of_page}The API answers on {url}, and {url}/docs explains it. Press Ctrl-C to stop.")
