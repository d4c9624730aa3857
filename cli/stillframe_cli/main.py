"""The `stillframe` command group. It imports a command's module only when that command is called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from stillframe import __version__
from stillframe.errors import CaptureError
from stillframe.printable import printable
from stillframe.settings import SettingsError

from .console import print_note

COMMANDS = {
    "shoot": "Take screenshots on this machine, without an AWS account.",
    "demo": "Take screenshots of a small bundled site.",
    "dev": "Run the embedded AWS environment until Ctrl-C.",
    "doctor": "Examine what capturing needs, and say what is missing.",
    "send": "Send capture requests to the queue.",
    "consume": "Receive requests from the queue and capture them.",
    "status": "Show the record of one screenshot.",
    "list": "List records by status and time.",
    "get": "Download the image of a screenshot.",
    "diff": "Show what changed between two images.",
    "retry": "Send the request of a screenshot again.",
    "redrive": "Move dead letters back to the queue.",
    "audit": "Check that records, objects and queues agree.",
    "load-test": "Send many messages and report how they ended.",
    "plan": "Work out the size and cost of a deployment for a load.",
    "scale": "Show or change how many captures may run at once.",
    "monitor": "Watch queue, workers, throughput and cost live.",
    "cleanup": "Delete all messages, records or images.",
}


# Packages that only some commands need, and the extra of pyproject.toml that installs each.
EXTRAS = {
    "ministack": "embedded",
    "uvicorn": "embedded",
    "matplotlib": "operate",
    "simpy": "operate",
    "textual": "operate",
}


class LazyGroup(click.Group):
    """Imports `stillframe_cli.commands.NAME` on demand, so that `--help` and quick commands start fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"stillframe_cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What an error quotes of a file or of an answer is made safe for the terminal."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            error.message = "\n".join(map(printable, error.message.split("\n")))  # type: ignore[misc]
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stillframe")
def cli() -> None:
    """Take screenshots of web pages at any scale, each one once.

    Exit status: 0 done, 1 something failed, 2 wrong usage.
    """


def main() -> None:
    """Run the command line. Errors that a user can act on end in one line on stderr, without a traceback."""
    _open_standard_streams()
    try:
        cli(prog_name="stillframe")
    except SettingsError as error:
        _exit_with(str(error), 2)
    except CaptureError as error:
        _exit_with(f"{error.code}: {error.message}", 1)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        _exit_with(f'This command needs {error.name}: pip install "stillframe[{extra}]"', 2)
    except (ClientError, BotoCoreError) as error:
        _exit_with(f"AWS: {error}", 1)
    except BrokenPipeError:
        # The process that read our output has ended (`stillframe list | head`).
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        _exit_with(f"{error.filename}: {error.strerror}", 1)


def _open_standard_streams() -> None:
    """Open those that are closed: a socket or a pipe of the browser would take their numbers, and get their output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # open(2) returns the lowest number that is free.
            os.open(os.devnull, os.O_RDWR)


def _exit_with(message: str, status: int) -> None:
    print_note(f"stillframe: {message}")
    sys.exit(status)
