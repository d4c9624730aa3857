"""The directory in which the embedded environment keeps its state."""

from __future__ import annotations

from pathlib import Path

import click


def make_private(state: Path) -> Path:
    """Create the directory if it is missing. Images and records are for nobody else on this machine."""
    state = state.resolve()
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.chmod(0o700)
    except OSError as error:
        raise click.ClickException(f"--state {state} cannot be used: {error.strerror}") from error
    return state
