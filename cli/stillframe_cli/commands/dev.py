"""`dev`: the embedded environment as a server."""

from __future__ import annotations

import shlex
import signal
import threading
from pathlib import Path

import click

from stillframe.clients import Clients

from ..console import json_option, note, print_json
from ..emulator import LOOPBACK, running_emulator
from ..provision import QueuePolicy, provision


@click.command("dev")
@click.option("--port", type=click.IntRange(0, 65535), default=4566, show_default=True, help="0 takes a free one.")
@click.option("--bind", metavar="ADDRESS", default=LOOPBACK, show_default=True, help="0.0.0.0 in a container.")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), help="Keep queues, table and objects here.")
@click.option("--visibility-timeout", type=click.IntRange(1, 43200), default=360, show_default=True, metavar="SECONDS")
@click.option("--max-receive-count", type=click.IntRange(1, 1000), default=5, show_default=True)
@json_option
def command(
    port: int, bind: str, state: Path | None, visibility_timeout: int, max_receive_count: int, as_json: bool
) -> None:
    """Run queue, table and bucket on this machine until Ctrl-C, and print the exports other commands need.

    Example: stillframe dev > env.sh &  then  source env.sh; stillframe consume --continuous
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if state is not None:
        state = state.resolve()
        state.mkdir(parents=True, exist_ok=True)
    with running_emulator(port, state, bind) as emulator:
        emulator.adopt_process()
        names = provision(Clients.connect(), QueuePolicy(visibility_timeout, max_receive_count))
        # Nobody reads metrics from the logs of workers here.
        exports = {**emulator.exports, **names, "STILLFRAME_PUBLISH_METRICS": "true"}
        if as_json:
            print_json(exports)
        else:
            click.echo("\n".join(f"export {name}={shlex.quote(value)}" for name, value in exports.items()))
        note(f"embedded AWS environment on {emulator.endpoint}; Ctrl-C ends it")
        while not stop.wait(0.5):
            if not emulator.is_alive:
                raise click.ClickException("the embedded AWS environment ended by itself")
