"""The command group: loads a command's module only when it is the one called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from stillframe import __version__
from stillframe.errors import CaptureError
from stillframe.settings import SettingsError

COMMANDS = {
    "shoot": "Take screenshots on this machine, with no AWS account.",
    "demo": "Take screenshots of a small bundled site.",
    "dev": "Run the embedded AWS environment until Ctrl-C.",
    "send": "Put requests on the queue.",
    "consume": "Take requests from the queue and capture them.",
    "status": "Show the record of one screenshot.",
    "list": "List records.",
    "get": "Download the image of one screenshot.",
    "diff": "Show what changed between two captures.",
    "retry": "Send one screenshot again, from its record.",
    "redrive": "Bring dead letters back to the queue.",
    "audit": "Compare records, objects and queues.",
    "load-test": "Send many messages and say what became of them.",
    "plan": "Work out what a load needs and costs.",
    "scale": "Show and change how much the workers do at once.",
    "monitor": "Watch how the service does, live.",
    "cleanup": "Empty the queue, the table, the bucket.",
}


class LazyGroup(click.Group):
    """Finds `stillframe_cli.commands.NAME.command` on demand, so that `--help` and quick commands start fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"stillframe_cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stillframe")
def cli() -> None:
    """Stillframe takes screenshots of web pages at any scale, each one once.

    Exit status: 0 done, 1 something failed, 2 wrong usage.
    """


def main(run: Callable[..., Any] = cli) -> None:
    """Run the command; what a user can do something about ends in one line on stderr."""
    try:
        run(prog_name="stillframe")
    except SettingsError as error:
        _fail(str(error), 2)
    except CaptureError as error:
        _fail(f"{error.code}: {error.message}", 1)
    except (ClientError, BotoCoreError) as error:
        _fail(f"AWS: {error}", 1)
    except BrokenPipeError:
        # The reader of our output has gone (`stillframe list | head`).
        sys.stderr.close()
        sys.exit(1)


def _fail(message: str, status: int) -> None:
    click.echo(f"stillframe: {message}", err=True)
    sys.exit(status)
