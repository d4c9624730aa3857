"""Whether renderers are forked from a zygote in Lambda: tried with the first browser of an execution environment.

A capture takes a fifth less CPU time than with renderers that are started from scratch. In Lambda it has been reported
not to work (puppeteer #4585, Sparticuz/chromium #112), so that a browser has to prove it once. What is found out is
kept in a file, for the process that takes this one's place in the same environment: one that ended during the trial,
because the initialisation took too long, has found out that it does not work.

This module needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

NAME = "stillframe-zygote"
WORKS, TRIED, FAILS = "works", "tried", "fails"


class ZygoteTrial:
    """What is known of the zygote by now: nothing before the first browser, which is on trial."""

    def __init__(self) -> None:
        self._found = ""

    @property
    def is_under_way(self) -> bool:
        """Whether a browser has its zygote, and has not proved yet that it works."""
        return self._found == TRIED

    def has_zygote(self) -> bool:
        """Whether the next browser is started with its zygote. The first one begins the trial."""
        if not self._found:
            self._found = self._read() or self._begin()
        return self._found != FAILS

    def conclude(self, *, works: bool) -> None:
        """End the trial, for this process and for those that take its place."""
        self._found = WORKS if works else FAILS
        with contextlib.suppress(OSError):
            _path().write_text(self._found)

    def forget(self) -> None:
        """Give a trial up that has shown nothing, so that the next process begins another one."""
        if self.is_under_way:
            self._found = ""
            with contextlib.suppress(OSError):
                _path().unlink()

    def _read(self) -> str:
        """What an earlier process has found out; nothing if there was none."""
        with contextlib.suppress(OSError):
            return WORKS if _path().read_text() == WORKS else FAILS
        return ""

    def _begin(self) -> str:
        """Note that a trial has begun. Where that cannot be noted, there is none."""
        try:
            descriptor = os.open(_path(), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError:
            return FAILS
        with os.fdopen(descriptor, "w") as file:
            file.write(TRIED)
        return TRIED


def _path() -> Path:
    return Path(tempfile.gettempdir()) / NAME


# Of this process.
TRIAL = ZygoteTrial()
