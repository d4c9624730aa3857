"""Options of the commands that run the embedded environment: where it listens, and where its state is kept."""

from __future__ import annotations

from pathlib import Path

import click

from .emulator import LOOPBACK

bind_option = click.option(
    "--bind",
    metavar="ADDRESS",
    default=LOOPBACK,
    show_default=True,
    help="Address to listen on. In a container, use 0.0.0.0.",
)
state_option = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep queues, table and objects in this directory. Without it, they are lost at the end.",
)
