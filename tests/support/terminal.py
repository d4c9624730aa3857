"""Runs a command on a pseudoterminal, as a person sees it."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_on_terminal(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    """Run the command with a terminal for its input and output. Returns the exit status and what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=dict(variables), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    # EIO when the last process has closed the terminal (pty(7)).
    with contextlib.suppress(OSError):
        while chunk := os.read(ours, 65536):
            shown += chunk
    os.close(ours)
    return process.wait(60), shown.decode(errors="replace")
