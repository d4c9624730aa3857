"""The `stillframe` command group. It imports a command's module only when that command is called."""

from __future__ import annotations

import difflib
import importlib
import io
import os
import re
import sys
from typing import Any

import click

from stillframe import __version__
from stillframe.printable import printable

from .console import has_colors, print_note
from .failures import describe_failure

COMMANDS = {
    "shoot": "Take screenshots on this machine, without an AWS account.",
    "site": "Capture a whole site, each page once.",
    "demo": "Take screenshots of a small bundled site.",
    "dev": "Run the embedded AWS environment until Ctrl-C.",
    "serve": "Run the whole service on this machine, with its HTTP API.",
    "doctor": "Examine what capturing needs, and say what is missing.",
    "send": "Send capture requests to the queue.",
    "consume": "Receive requests from the queue and capture them.",
    "status": "Show the record of one screenshot.",
    "list": "List records by status and time.",
    "get": "Download the image of a screenshot.",
    "diff": "Show what changed between two images.",
    "check": "Compare pages with images of how they should look.",
    "retry": "Send the request of a screenshot again.",
    "watch": "Capture pages again and again, each period once.",
    "history": "Show the periods of a watch, and what became of each.",
    "approve": "Make a capture of a watch the one to compare with.",
    "baseline": "Show the captures that those of a watch are compared with.",
    "webhooks": "Show the attempts to call the webhooks of a screenshot.",
    "webhook-keys": "Show or rotate the keys that webhooks are signed with.",
    "redrive": "Move dead letters back to the queue.",
    "audit": "Check that records, objects and queues agree.",
    "load-test": "Send many messages and report how they ended.",
    "plan": "Work out the size and cost of a deployment for a load.",
    "scale": "Show or change how many captures may run at once.",
    "monitor": "Watch queue, workers, throughput and cost live.",
    "keys": "Manage the API keys of tenants.",
    "sign": "Sign a link that shows a screenshot to everybody.",
    "cleanup": "Delete all messages, records or images.",
}

# A word that looks like a URL in the place of a command.
URL_LIKE = re.compile(r"https?://|[\w-]+(\.[\w-]+)+(:\d+)?(/|$)|localhost(:\d+)?(/|$)")
INTERRUPTED = 130
# How much of a command's name must be right.
MIN_LIKENESS = 0.6


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

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command. Raises UsageError that names the one that was probably meant."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            if URL_LIKE.match(name):
                raise click.UsageError(f"{name} is no command; did you mean `stillframe shoot {name}`?", ctx)
            near = difflib.get_close_matches(name, list(COMMANDS), 1, MIN_LIKENESS)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"No such command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What an error quotes of a file or of an answer is made safe for the terminal."""
        if not has_colors():
            ctx.color = False
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            print_note("stopped")
            raise SystemExit(INTERRUPTED) from None
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

    Exit status: 0 done, 1 something failed, 2 wrong usage, 130 Ctrl-C. `shoot` has more: see its help.

    \b
    Examples:
      stillframe shoot example.com
      stillframe send --file urls.txt --stack Stillframe-prod
    """


def main() -> None:
    """Run the command line. Errors that a user can act on end in one line on stderr, without a traceback."""
    _open_standard_streams()
    # boto3 reads only the second of these names, all other SDKs read the first.
    if region := os.environ.get("AWS_REGION"):
        os.environ.setdefault("AWS_DEFAULT_REGION", region)
    try:
        cli(prog_name="stillframe")
    except BrokenPipeError:
        # The process that read our output has ended (`stillframe list | head`).
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        failure = describe_failure(error)
        if failure is None:
            raise
        message, status = failure
        print_note(f"stillframe: {message}")
        sys.exit(status)


def _open_standard_streams() -> None:
    """Open those that are closed: a socket or a pipe of the browser would take their numbers, and get their output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # open(2) returns the lowest number that is free.
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not end the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
