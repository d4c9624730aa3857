"""`serve`: the whole service on this machine: the embedded environment, a worker, the HTTP API, and events."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from urllib.parse import urlsplit

import click

from stillframe.clients import Clients
from stillframe.settings import Settings

from ..console import json_option, print_json, print_note
from ..emulator import EVENT_SERVICES, EVERY_ADDRESS, LOOPBACK, listen, running_emulator
from ..emulator_options import bind_option, state_option
from ..exports import write_exports
from ..files import OutputPath
from ..input.allow_hosts import allow_host_option
from ..local_link_key import local_link_key
from ..local_service import Access, run_service
from ..provision import QueuePolicy, provision
from ..state_directory import make_private
from ..tabs import AUTO, tabs_option
from ..webhook_provision import provision_webhooks
from .sign import KEY_VARIABLE, URL_VARIABLE


def _parse_origin(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    parts = urlsplit(value or "http://localhost")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise click.BadParameter(f"{value} is no address of the form http://HOST:PORT")
    return value and value.rstrip("/")


@click.command("serve")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=8080,
    show_default=True,
    help="Port of the API; 0 selects a free one.",
)
@bind_option
@click.option(
    "--aws-port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=0,
    help="Port of the embedded AWS environment; a free one by default.",
)
@click.option(
    "--aws-url",
    metavar="URL",
    callback=_parse_origin,
    help="Where callers reach that environment, for links to images: http://localhost:4566.",
)
@click.option("--no-worker", is_flag=True, help="Capture nothing here: `stillframe consume` does, elsewhere.")
@state_option
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
    bind: str,
    aws_port: int,
    aws_url: str | None,
    no_worker: bool,
    state: Path | None,
    needs_key: bool,
    env_file: Path | None,
    allow_hosts: tuple[str, ...],
    tabs: int | str | None,
    as_json: bool,
) -> None:
    """Run queue, table, bucket, a worker, the HTTP API and events on this machine until Ctrl-C.

    The API answers this machine only, by its loopback address. Without --keys, it asks nobody for credentials: it is
    for you, and for what runs on this machine. Each completed screenshot is an event on the embedded EventBridge, and
    the webhooks of requests are called.

    \b
    Examples:
      stillframe serve --port 8080
      stillframe serve --keys --env-file env.sh
    """
    # A port that is taken is found out before anything is started.
    with listen(bind, port) as listener:
        kept = make_private(state) if state is not None else None
        with running_emulator(aws_port, kept, bind, EVENT_SERVICES) as emulator:
            inherited = dict(os.environ)
            emulator.use_in_this_process()
            clients = Clients.connect()
            names = {**provision(clients, QueuePolicy(), has_stream=True), **provision_webhooks(clients)}
            chosen = {} if tabs in (None, AUTO) else {"STILLFRAME_TABS": str(tabs)}
            # As in `shoot`: the pages are the user's own choice, and somebody is waiting for the images.
            local = {"STILLFRAME_ALLOW_HOSTS": ",".join(allow_hosts), "STILLFRAME_BACKOFF_BASE_SECONDS": "1"}
            settings = Settings.from_environment(**{**names, **local, **chosen})
            host = LOOPBACK if bind == EVERY_ADDRESS else bind
            bound_port = listener.getsockname()[1]
            address = f"http://{host}:{bound_port}"
            access = Access(needs_key, local_link_key(kept), aws_url or emulator.endpoint)
            if env_file is not None:
                exports = {**emulator.exports, **names, KEY_VARIABLE: access.link_key, URL_VARIABLE: address}
                write_exports(env_file, exports, inherited)
            if bind != LOOPBACK and not needs_key:
                print_note(f"Whoever reaches port {bound_port} of {bind} may call it: see that only this machine can.")
            announce = functools.partial(_announce, address, access, emulator.endpoint, as_json)
            run_service(listener, settings, clients, access, emulator, announce, has_worker=not no_worker)


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
