"""Starting a browser's process, also before the worker that will use it has been imported.

This module and those it imports need nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass

from stillframe.errors import BrowserUnavailable

from . import flags
from .process import Spawned, spawn
from .profile import Profile, sweep

# Where Debian installs the headless shell.
DEBIAN_PATH = "/usr/lib/chromium/chromium-headless-shell"


@dataclass(frozen=True, slots=True)
class Started:
    """A browser's process, to which nobody has connected yet. It ends when our ends of its pipes are closed."""

    executable: str
    profile: Profile
    spawned: Spawned


def start(executable: str, environment: Mapping[str, str] | None = None) -> Started:
    """Start a browser's process. Its environment is empty unless given, because ours may hold credentials.

    Raises BrowserUnavailable if it cannot be run or if its profile cannot be written.
    """
    try:
        sweep()
        profile = Profile()
    except OSError as error:
        raise BrowserUnavailable(f"Chromium's profile cannot be written: {error}") from error
    arguments = [*flags.launch_flags(), f"--user-data-dir={profile.path}"]
    try:
        return Started(executable, profile, spawn(executable, arguments, environment or {}))
    except OSError as error:
        profile.remove()
        raise BrowserUnavailable(f"Chromium did not start: {error}") from error


# At most one, until it is taken. Both functions are called by the thread that imports the worker, or under a lock.
_ahead: list[Started] = []


def start_ahead() -> None:
    """Start the browser that the first launch will take: it starts while Python is still importing.

    Does nothing if there is none where the settings or Debian say: the launch itself tells what is wrong.
    """
    executable = os.environ.get("STILLFRAME_CHROMIUM") or DEBIAN_PATH
    if not _ahead and os.access(executable, os.X_OK):
        with contextlib.suppress(BrowserUnavailable):
            _ahead.append(start(executable))


def take_started(executable: str) -> Started | None:
    """The browser that was started ahead, once, if it is of this executable."""
    return _ahead.pop() if _ahead and _ahead[0].executable == executable else None
