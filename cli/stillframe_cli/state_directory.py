"""The directory in which the embedded environment keeps its state."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import click

# An emulator whose service was killed writes its state before it ends.
WAIT_SECONDS = 15.0


def make_private(state: Path) -> Path:
    """Create the directory if it is missing. Images and records are for nobody else on this machine."""
    state = state.resolve()
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.chmod(0o700)
    except OSError as error:
        raise click.ClickException(f"--state {state} cannot be used: {error.strerror}") from error
    return state


@contextlib.contextmanager
def only_user(state: Path) -> Iterator[int]:
    """Keep other emulators out of the directory: each writes all of the state, over what another one has written.

    Yields the descriptor of the lock, an flock(2) on the directory itself. It is held for as long as any process has
    the descriptor, so an emulator that gets it and outlives its service is waited for. Raises click.ClickException if
    the directory is in use.
    """
    descriptor = os.open(state, os.O_RDONLY)
    try:
        give_up_at = time.monotonic() + WAIT_SECONDS
        while not _is_locked(descriptor):
            if time.monotonic() > give_up_at:
                raise click.ClickException(
                    f"Another `stillframe serve` or `stillframe dev` keeps its state in {state}. Stop it, or choose "
                    "another directory with --state."
                )
            time.sleep(0.1)
        yield descriptor
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    """Whether nobody else has the lock. On a file system without locks, nobody can have one."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
