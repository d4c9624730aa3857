"""`dev`: run the embedded environment as a server, in the foreground or in the background."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from stillframe.clients import Clients

from ..console import json_option, print_json, print_note
from ..dev_background import start_in_background
from ..dev_registry import registered, running
from ..embedded_variables import neutral_values
from ..emulator import LOOPBACK, running_emulator
from ..emulator_options import bind_option, state_option
from ..exports import shell_lines, write_private
from ..files import OutputPath
from ..provision import QueuePolicy, provision
from ..state_directory import make_private

# The function in events/template.yaml.
SAM_FUNCTION = "Renderer"


@click.group("dev", invoke_without_command=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=4566,
    show_default=True,
    help="Port to listen on; 0 selects a free one.",
)
@bind_option
@click.option("--detach", is_flag=True, help="Run in the background until `stillframe dev stop`.")
@click.option(
    "--env-file",
    type=OutputPath(),
    metavar="FILE",
    help="Write the variables to this file, for `source`, instead of printing them.",
)
@click.option(
    "--sam-env", type=OutputPath(), metavar="FILE", help="Write them for `sam local invoke --env-vars`, too (JSON)."
)
@state_option
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
@click.pass_context
def command(
    context: click.Context,
    port: int,
    bind: str,
    detach: bool,
    env_file: Path | None,
    sam_env: Path | None,
    state: Path | None,
    visibility_timeout: int,
    max_receive_count: int,
    as_json: bool,
) -> None:
    """Run a queue, a table and a bucket on this machine until Ctrl-C, or in the background.

    Prints the environment variables that other commands need to use them. Variables that would lead these commands
    elsewhere (a profile, a proxy, other endpoints) are unset or overridden.

    \b
    Example:
      stillframe dev --detach --env-file env.sh
      source env.sh
      stillframe consume --continuous
      stillframe dev stop
    """
    if context.invoked_subcommand is not None:
        return
    _refuse_second(port)
    if state is not None:
        state = make_private(state)
    publish = _Publisher(env_file, sam_env, as_json)
    policy = QueuePolicy(visibility_timeout, max_receive_count)
    if detach:
        arguments = ["--port", str(port), "--bind", bind, *(["--state", str(state)] if state else [])]
        arguments += ["--visibility-timeout", str(visibility_timeout), "--max-receive-count", str(max_receive_count)]
        exports = start_in_background(arguments)
        publish(exports)
        endpoint = exports["AWS_ENDPOINT_URL"]
        print_note(f"The embedded AWS environment runs on {endpoint}. `stillframe dev stop` stops it.")
        return
    _serve(port, bind, state, policy, publish)


@command.command("stop")
@click.option("--port", type=click.IntRange(1, 65535), metavar="PORT", help="Stop the one on this port.")
@click.option("--all", "everything", is_flag=True, help="Stop all of them.")
def stop(port: int | None, everything: bool) -> None:
    """Stop an environment that runs in the background, or in another terminal.

    \b
    Example:
      stillframe dev stop
    """
    found = [each for each in running() if port in (None, each.port)]
    if not found:
        raise click.ClickException(f"No `stillframe dev` runs{f' on port {port}' if port else ''}.")
    if len(found) > 1 and not everything:
        ports = ", ".join(str(each.port) for each in found)
        raise click.UsageError(f"Several are running, on the ports {ports}: choose one with --port, or use --all.")
    for each in found:
        if not each.stop():
            raise click.ClickException(f"The environment on port {each.port} (process {each.pid}) does not end.")
        print_note(f"Stopped the environment on port {each.port}.")


def _refuse_second(port: int) -> None:
    for each in running():
        if each.port == port:
            raise click.ClickException(
                f"`stillframe dev` already runs on port {port} (process {each.pid}). "
                f"`stillframe dev stop --port {port}` stops it; --port 0 starts another one beside it."
            )


def _serve(port: int, bind: str, state: Path | None, policy: QueuePolicy, publish: _Publisher) -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    inherited = dict(os.environ)
    with running_emulator(port, state, bind) as emulator, registered(emulator.port):
        emulator.use_in_this_process()
        names = provision(Clients.connect(), policy)
        # No log group collects metrics from the logs of these workers, so they publish them themselves.
        exports = {**emulator.exports, **names, "STILLFRAME_PUBLISH_METRICS": "true"}
        publish(exports, inherited)
        print_note(f"The embedded AWS environment runs on {emulator.endpoint}. Press Ctrl-C to stop it.")
        emulator.run_until(stopped)


class _Publisher:
    """Writes the variables to the files that were asked for, or prints them."""

    def __init__(self, env_file: Path | None, sam_env: Path | None, as_json: bool) -> None:
        self._env_file = env_file
        self._sam_env = sam_env
        self._as_json = as_json

    def __call__(self, exports: Mapping[str, str], inherited: Mapping[str, str] = os.environ) -> None:
        lines = shell_lines(exports, inherited)
        if self._sam_env is not None:
            write_private(self._sam_env, json.dumps({SAM_FUNCTION: dict(exports)}, indent=1) + "\n")
            if LOOPBACK in exports["AWS_ENDPOINT_URL"]:
                print_note("A container cannot reach this machine's loopback: add --bind 172.17.0.1, Docker's bridge.")
        if self._env_file is not None:
            write_private(self._env_file, lines + "\n")
        elif self._as_json:
            values: dict[str, Any] = {**exports, **neutral_values(exports, inherited)}
            print_json(values)
        else:
            click.echo(lines)
