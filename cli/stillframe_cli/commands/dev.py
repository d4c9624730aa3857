"""`dev`: run the embedded environment as a server."""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from stillframe.clients import Clients

from ..console import json_option, print_json, print_note
from ..embedded_variables import neutral_values, unset_variables
from ..emulator import LOOPBACK, running_emulator
from ..provision import QueuePolicy, provision


@click.command("dev")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=4566,
    show_default=True,
    help="Port to listen on; 0 selects a free one.",
)
@click.option(
    "--bind",
    metavar="ADDRESS",
    default=LOOPBACK,
    show_default=True,
    help="Address to listen on. In a container, use 0.0.0.0.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep queues, table and objects in this directory. Without it, they are lost at the end.",
)
@click.option(
    "--visibility-timeout",
    type=click.IntRange(1, 43200),
    default=360,
    show_default=True,
    metavar="SECONDS",
    help="How long a received message is hidden from other workers.",
)
@click.option(
    "--max-receive-count",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=5,
    show_default=True,
    help="How often a message may be received before it becomes a dead letter.",
)
@json_option
def command(
    port: int, bind: str, state: Path | None, visibility_timeout: int, max_receive_count: int, as_json: bool
) -> None:
    """Run a queue, a table and a bucket on this machine until Ctrl-C.

    Prints the environment variables that other commands need to use them. Variables that would lead these commands
    elsewhere (a profile, a proxy, other endpoints) are unset or overridden.

    \b
    Example:
      stillframe dev > env.sh &
      source env.sh
      stillframe consume --continuous
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if state is not None:
        state = state.resolve()
        # Images and records are for nobody else on this machine.
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.chmod(0o700)
    inherited = dict(os.environ)
    with running_emulator(port, state, bind) as emulator:
        emulator.use_in_this_process()
        names = provision(Clients.connect(), QueuePolicy(visibility_timeout, max_receive_count))
        # No log group collects metrics from the logs of these workers, so they publish them themselves.
        exports = {**emulator.exports, **names, "STILLFRAME_PUBLISH_METRICS": "true"}
        if as_json:
            print_json(exports | neutral_values(exports, inherited))
        else:
            click.echo(_shell_lines(exports, unset_variables(exports, inherited)))
        print_note(f"The embedded AWS environment runs on {emulator.endpoint}. Press Ctrl-C to stop it.")
        while not stop.wait(0.5):
            if not emulator.is_alive:
                raise click.ClickException("The embedded AWS environment stopped unexpectedly.")


def _shell_lines(exports: Mapping[str, str], unset: Sequence[str]) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
    return "\n".join([*lines, f"unset {' '.join(unset)}"])
