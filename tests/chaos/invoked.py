"""A function in a process of its own, which may be killed at any moment, as an execution environment may end.

    python -m tests.chaos.invoked notifier

Reads events from its standard input, one in each line, and answers each with a line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe_notifier.handler import handler as notify
from stillframe_webhooks.handler import WebhookHandler
from stillframe_webhooks.pauses import Pauses
from tests.support.workers import ROOT, environment

# Three days in a few seconds.
PAUSES = Pauses((1, 2, 3), max_age_seconds=24 * 3600)


class Invocation(Exception):
    """The function ended before it had answered."""


class Invoked:
    """A function that is started when it is needed. May be killed from another thread."""

    def __init__(self, name: str, exports: Mapping[str, str]) -> None:
        self._name = name
        self._exports = dict(exports)
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def handle(self, event: Mapping[str, Any], _context: Any = None) -> dict[str, Any]:
        """Invoke it. Raises Invocation if it is killed meanwhile: then its event source gives it the same again."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(event, default=str).encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError as error:
            raise Invocation(self._name) from error
        if not answer.endswith(b"\n"):
            raise Invocation(self._name)
        value: dict[str, Any] = json.loads(answer)
        return value

    def kill(self) -> None:
        """End it without warning."""
        if self._process is not None and self._process.poll() is None:
            self.kills += 1
            self._process.kill()

    def close(self) -> None:
        """End it for good."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            if self._process is not None:
                self._process.communicate()
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, self._name],
                cwd=ROOT,
                env={**environment(self._exports), "PYTHONPATH": f"{environment({})['PYTHONPATH']}{os.pathsep}{ROOT}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process


def main() -> None:
    """Answer until the input ends."""
    if sys.argv[1] == "notifier":
        handle: Any = notify
    else:
        handle = WebhookHandler.build(Settings.from_environment(), Clients.connect(), PAUSES).handle
    answers = os.fdopen(os.dup(1), "wb")
    # What the function logs goes to its standard output.
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        answers.write(json.dumps(handle(json.loads(line), None)).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
