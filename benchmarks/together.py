"""CPU time of contenders that run at the same time, on the same pages: what the machine does to one, it does to all.

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
from .harness import WARM_UP, Contender, begin, contenders, services, start

# More than there can be in the time.
CAPTURES_A_SECOND = 20


@dataclass(slots=True)
class Marks:
    """When each picture was done (seconds of the monotonic clock), and what CPU time had been taken by then."""

    used: Account
    taken: list[tuple[float, float]] = field(default_factory=list)

    def cpu_each(self, begin: float, end: float) -> float:
        """CPU seconds a picture, of those that were done in between."""
        inside = [cpu for at, cpu in self.taken if begin <= at <= end]
        return (inside[-1] - inside[0]) / (len(inside) - 1)


def main() -> None:
    """The figures as one JSON line on stdout; ratios are to the contender that was named first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="CONTENDER")
    parser.add_argument("--tabs", type=int, default=3, help="of each")
    parser.add_argument("--latency", type=int, default=50, help="milliseconds a response")
    parser.add_argument("--seconds", type=int, default=75)
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers"), help="made by scripts/peers")
    given = parser.parse_args()
    known = contenders(given.peers)
    chosen = [known[name] for name in given.names]
    marks = _run(chosen, given.latency, given.tabs, given.seconds)
    for name, each in zip(given.names, marks, strict=True):
        if len(each.taken) <= 2 * WARM_UP * given.tabs:
            hint = f"give it more --seconds, or see what it says: python -m benchmarks.run --only {name}"
            sys.exit(f"together: {name} took {len(each.taken)} pictures, too few to tell; {hint}")
    # The time in which all of them were warm and at work.
    start_at = max(each.taken[WARM_UP * given.tabs][0] for each in marks)
    end_at = min(each.taken[-1][0] for each in marks)
    cpu = {name: each.cpu_each(start_at, end_at) for name, each in zip(given.names, marks, strict=True)}
    first = cpu[given.names[0]]
    print(
        json.dumps(
            {
                "tabs": given.tabs,
                "latencyMs": given.latency,
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
            urls = [f"{url}-{next(numbers)}" for url in pages.urls(site, seconds * CAPTURES_A_SECOND)]
            marks.append(mark)
            processes.append((process, urls, mark))
        chromium = find_chromium()
        for process, urls, mark in processes:
            begin(process, chromium, urls, tabs)
            assert process.stdout is not None
            threading.Thread(target=_listen, args=(process.stdout, mark), daemon=True).start()
        for left in range(seconds, 0, -5):
            done = ", ".join(f"{each.name} {len(mark.taken)}" for each, mark in zip(chosen, marks, strict=True))
            print(f"together: {left} s left; {done}", file=sys.stderr)
            time.sleep(min(5, left))
    return marks


def _listen(lines: IO[str], mark: Marks) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in lines:
            if line.startswith("{"):
                mark.taken.append((time.monotonic(), mark.used.cpu_seconds))


if __name__ == "__main__":
    main()
