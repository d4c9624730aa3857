"""Which `stillframe dev` runs on this machine: a small file for each, in a directory of the user's own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

STOP_SECONDS = 20.0
POLL_SECONDS = 0.05
# proc(5): the 22nd field of /proc/PID/stat, counted after the command's name.
START_TIME_FIELD = 19


@dataclass(frozen=True, slots=True)
class RunningDev:
    """One environment. `started_at` tells its process from a later one that has the same number."""

    port: int
    pid: int
    started_at: str

    @property
    def is_alive(self) -> bool:
        """Whether the very process still runs."""
        return start_time(self.pid) == self.started_at

    def stop(self) -> bool:
        """End it as Ctrl-C does, and wait. Returns whether it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        give_up_at = time.monotonic() + STOP_SECONDS
        while self.is_alive and time.monotonic() < give_up_at:
            time.sleep(POLL_SECONDS)
        return not self.is_alive


@contextlib.contextmanager
def registered(port: int) -> Iterator[None]:
    """Note that this process runs the environment on the port, until the end of the context."""
    path = runtime_directory() / f"dev-{port}.json"
    path.write_text(json.dumps({"pid": os.getpid(), "startedAt": start_time(os.getpid())}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running() -> list[RunningDev]:
    """All environments of this user, by port."""
    found = []
    for path in sorted(runtime_directory().glob("dev-*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            values = json.loads(path.read_text())
            found.append(RunningDev(int(path.stem.partition("-")[2]), int(values["pid"]), str(values["startedAt"])))
    return sorted((each for each in found if each.is_alive), key=lambda each: each.port)


def runtime_directory() -> Path:
    """The directory for files of running programs (XDG Base Directory Specification), made if necessary.

    Raises click.ClickException if it belongs to somebody else, who could name other processes in it.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(base) / "stillframe" if base else Path(tempfile.gettempdir()) / f"stillframe-{os.getuid()}"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise click.ClickException(f"{path} belongs to somebody else. Set XDG_RUNTIME_DIR to a directory of your own.")
    return path


def start_time(pid: int) -> str | None:
    """When a process was started, in clock ticks since the system was, or None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[START_TIME_FIELD]
