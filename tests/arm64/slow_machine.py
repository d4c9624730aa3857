"""Runs inside the image, on an emulated processor: `doctor`, or one event for the function's own handler.

Emulation is slow, and its memory counts as the browser's. So time and memory limits are raised; nothing else differs.

    python3 slow_machine.py doctor
    python3 slow_machine.py capture < EVENT
"""

from __future__ import annotations

import json
import sys
import time

from stillframe.clock import Deadline
from stillframe.image.render_result import RenderResult
from stillframe.request.options import RenderOptions
from stillframe_cli.doctor import machine
from stillframe_cli.main import cli
from stillframe_renderer.browsers import engine, pool
from stillframe_renderer.chromium import browser, executable, zygote
from stillframe_renderer.guard.server import EgressGuard

SECONDS = 900
MEMORY_MB = 1 << 20
# The most that `timeoutMs` takes.
PAGE_MS = 120_000


class SlowEngine(engine.RenderEngine):
    """An engine without a memory limit, whose pages have as much time as a request may give them."""

    def __init__(self, launch: pool.Launcher, guard: EgressGuard) -> None:
        super().__init__(launch, guard, max_browser_mb=MEMORY_MB)

    def render(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        return super().render(url, options.model_copy(update={"timeout_ms": PAGE_MS}), deadline)


class Context:
    """The context of an invocation that has time."""

    function_name = "arm64"
    memory_limit_in_mb = 2048
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:arm64"
    aws_request_id = "arm64"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return SECONDS * 1000


def raise_limits() -> None:
    """The limits that are not settings. The zygote does not work under emulation, and a trial would take long."""
    zygote.TRIAL.conclude(works=False)
    browser.LAUNCH_SECONDS = pool.OPEN_SECONDS = engine.START_SECONDS = engine.CHECK_SECONDS = SECONDS
    executable.VERSION_SECONDS = machine.FONT_SECONDS = SECONDS
    vars(machine)["RenderEngine"] = SlowEngine


def capture() -> None:
    """Print the handler's answer and how long it took, as the last line."""
    event = json.load(sys.stdin)
    started = time.monotonic()
    from stillframe_renderer.entry import handler  # builds the worker and starts its browser

    ready = time.monotonic()
    answer = handler(event, Context())  # type: ignore[arg-type]
    ended = time.monotonic()
    print(json.dumps({"answer": answer, "readySeconds": ready - started, "handlerSeconds": ended - ready}))


if __name__ == "__main__":
    raise_limits()
    if sys.argv[1] == "doctor":
        cli(["doctor", "--json"])
    else:
        capture()
