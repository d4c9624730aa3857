"""Runs inside the image: gives one event, from standard input, to the function's own handler, on a very slow machine.

An emulated processor is some fifty times slower. So the time limits of the worker are raised, and nothing else differs.
"""

from __future__ import annotations

import json
import sys
import time

from stillframe_renderer.browsers import engine, pool
from stillframe_renderer.chromium import browser, executable

SECONDS = 900
# Of the browser's start, of a tab's, and of a capture; a capture's own deadline is STILLFRAME_JOB_DEADLINE_SECONDS.
browser.LAUNCH_SECONDS = pool.OPEN_SECONDS = engine.START_SECONDS = engine.CHECK_SECONDS = SECONDS
executable.VERSION_SECONDS = SECONDS


class Context:
    """The context of an invocation that has time."""

    function_name = "arm64"
    memory_limit_in_mb = 2048
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:arm64"
    aws_request_id = "arm64"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return SECONDS * 1000


def main() -> None:
    """Print the answer and how long things took, as one line."""
    event = json.load(sys.stdin)
    started = time.monotonic()
    from stillframe_renderer.entry import handler

    ready = time.monotonic()
    answer = handler(event, Context())  # type: ignore[arg-type]
    ended = time.monotonic()
    figures = {"answer": answer, "readySeconds": ready - started, "captureSeconds": ended - ready}
    print(json.dumps({"slowFunction": figures}))


if __name__ == "__main__":
    main()
