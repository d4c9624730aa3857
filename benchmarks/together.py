"""CPU time of contenders that run at the same time, on the same pages, so that the machine affects all of them alike.

python -m benchmarks.together --tabs 3 --seconds 75 limit renderer pipeline
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from stillframe_renderer.chromium.executable import find_chromium

from . import pages
from .account import Account, account
from .harness import WARM_UP_PER_TAB, Contender, begin, contenders, services, start

# More than any contender can do, so that none runs out of pages.
MAX_CAPTURES_PER_SECOND = 20


@dataclass(slots=True)
class Marks:
    """The time at which each capture ended (seconds of the monotonic clock), and the CPU time used until then."""

    used: Account
    captures: list[tuple[float, float]] = field(default_factory=list)

    def cpu_per_capture(self, begin: float, end: float) -> float:
        """CPU seconds per capture, of those that ended in this period."""
        inside = [cpu for at, cpu in self.captures if begin <= at <= end]
        return (inside[-1] - inside[0]) / (len(inside) - 1)


def main() -> None:
    """Print the figures as one JSON line on stdout. Ratios are to the contender named first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="CONTENDER")
    parser.add_argument("--tabs", type=int, default=3, help="tabs per contender")
    parser.add_argument("--latency", type=int, default=50, help="milliseconds per response")
    parser.add_argument("--seconds", type=int, default=75, help="how long they run")
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers"), help="folder created by scripts/peers")
    arguments = parser.parse_args()
    known = contenders(arguments.peers)
    chosen = [known[name] for name in arguments.names]
    marks = _run(chosen, arguments.latency, arguments.tabs, arguments.seconds)
    for name, each in zip(arguments.names, marks, strict=True):
        if len(each.captures) <= 2 * WARM_UP_PER_TAB * arguments.tabs:
            hint = f"increase --seconds, or check its output with: python -m benchmarks.run --only {name}"
            sys.exit(f"together: {name} took {len(each.captures)} screenshots, too few to measure; {hint}")
    # The period in which all of them were warm and running.
    start_at = max(each.captures[WARM_UP_PER_TAB * arguments.tabs][0] for each in marks)
    end_at = min(each.captures[-1][0] for each in marks)
    cpu = {name: each.cpu_per_capture(start_at, end_at) for name, each in zip(arguments.names, marks, strict=True)}
    first = cpu[arguments.names[0]]
    print(
        json.dumps(
            {
                "tabs": arguments.tabs,
                "latencyMs": arguments.latency,
                "seconds": round(end_at - start_at),
                "cpuMs": {name: round(seconds * 1000, 1) for name, seconds in cpu.items()},
                "toFirst": {name: round(seconds / first, 3) for name, seconds in cpu.items()},
            }
        )
    )


def _run(chosen: list[Contender], latency: int, tabs: int, seconds: int) -> list[Marks]:
    numbers = itertools.count()
    with pages.serving(latency) as site, contextlib.ExitStack() as stack:
        processes, marks = [], []
        for contender in chosen:
            mark = Marks(stack.enter_context(account()))
            process = start(contender, mark.used, stack.enter_context(services(contender)))
            stack.callback(os.killpg, process.pid, signal.SIGKILL)
            urls = [f"{url}-{next(numbers)}" for url in pages.urls(site, seconds * MAX_CAPTURES_PER_SECOND)]
            marks.append(mark)
            processes.append((process, urls, mark))
        chromium = find_chromium()
        for process, urls, mark in processes:
            begin(process, chromium, urls, tabs)
            assert process.stdout is not None
            threading.Thread(target=_listen, args=(process.stdout, mark), daemon=True).start()
        for left in range(seconds, 0, -5):
            done = ", ".join(f"{each.name} {len(mark.captures)}" for each, mark in zip(chosen, marks, strict=True))
            print(f"together: {left} s left; {done}", file=sys.stderr)
            time.sleep(min(5, left))
    return marks


def _listen(lines: IO[str], mark: Marks) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in lines:
            if line.startswith("{"):
                mark.captures.append((time.monotonic(), mark.used.cpu_seconds))


if __name__ == "__main__":
    main()
