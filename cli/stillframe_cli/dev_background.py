"""Starts `stillframe dev` in the background, and returns when it is ready."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from .dev_registry import runtime_directory


def start_in_background(arguments: Sequence[str]) -> dict[str, str]:
    """Run `stillframe dev` with the arguments in a session of its own. Returns the variables that it prints.

    Its messages go to a file in the runtime directory. Raises click.ClickException with them if it does not start.
    """
    with tempfile.NamedTemporaryFile(
        dir=runtime_directory(), prefix="dev-", suffix=".log", delete=False, mode="w+"
    ) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "stillframe_cli", "dev", *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Ctrl-C in this terminal, or its end, must not end it.
            start_new_session=True,
        )
        assert process.stdout is not None
        with process.stdout:
            line = process.stdout.readline()
        if line:
            variables: dict[str, str] = json.loads(line)
            # It goes on without this process, which then need not wait for it.
            process.returncode = 0
            return variables
        status = process.wait()
        log.seek(0)
        messages = log.read().strip().removeprefix("Error: ")
    Path(log.name).unlink(missing_ok=True)
    raise click.ClickException(messages or f"The environment ended with status {status}.")
