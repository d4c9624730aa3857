"""Captures per second of Stillframe, of the limit and of its peers, in turn, on the same pages in the same run.

python -m benchmarks.run --rounds 3
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stillframe_renderer.chromium.executable import find_chromium

from . import pages, ready
from .harness import Contender, Run, contenders, run, uncounted_captures
from .machine import describe_machine
from .report import THROUGHPUT, write_report

LATENCIES_MS = (0, 50, 300)
# The numbers of tabs to try, by latency: each contender is measured with the one at which it is fastest.
TABS = {0: (2, 3, 4), 50: (3, 4, 6), 300: (8, 12, 16)}
# These are within a tenth of each other, which is also the spread of single runs. So each has several turns per round.
CLOSE = ("limit", "renderer", "unguarded", "pipeline")
TURNS = 3
# It explains a ratio, and is measured with `benchmarks.together`.
EXPLANATION = "observed"
RATIOS = {
    "rendererToLimit": ("renderer", "limit"),
    "pipelineToLimit": ("pipeline", "limit"),
    "pipelineToShotScraper": ("pipeline", "shotScraper"),
    "pipelineToShotScraperParallel": ("pipeline", "shotScraperParallel"),
    "pipelineToPuppeteerCluster": ("pipeline", "puppeteerCluster"),
    "pipelineToPlaywright": ("pipeline", "playwright"),
    "pipelineToLaunchPerShot": ("pipeline", "launchPerShot"),
    "guardedToUnguarded": ("renderer", "unguarded"),
}


@dataclass(slots=True)
class Series:
    """The runs of one contender at one latency, round by round, with the number of tabs at which it is fastest."""

    tabs: int
    rounds: list[list[Run]] = field(default_factory=list)

    @property
    def runs(self) -> list[Run]:
        return [each for runs in self.rounds for each in runs]

    @property
    def speed(self) -> float:
        return statistics.median(each.captures_a_second for each in self.runs)

    @property
    def speeds(self) -> list[float]:
        return [statistics.median(each.captures_a_second for each in runs) for runs in self.rounds]

    @property
    def cpu(self) -> float:
        return statistics.median(each.cpu_seconds for each in self.runs)


def main() -> None:
    """Print progress on stderr and the figures as one JSON line on stdout; write all runs to benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help=f"rounds; {', '.join(CLOSE)} run {TURNS} times in each")
    parser.add_argument("--captures", type=int, default=42, help="captures counted per run")
    parser.add_argument("--latency", type=int, action="append", help="milliseconds per response; may be repeated")
    parser.add_argument("--only", action="append", help="run this contender only; may be repeated")
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers"), help="folder created by scripts/peers")
    arguments = parser.parse_args()
    every = contenders(arguments.peers)
    chosen = {
        name: contender for name, contender in every.items() if name in (arguments.only or set(every) - {EXPLANATION})
    }
    measured: dict[int, dict[str, Series]] = {}
    started = time.monotonic()
    for latency in arguments.latency or LATENCIES_MS:
        measured[latency] = _measure(chosen, latency, arguments.rounds, arguments.captures)
    figures = {
        "machine": describe_machine(),
        "rounds": arguments.rounds,
        "turns": TURNS,
        "capturesARun": arguments.captures,
        "seconds": round(time.monotonic() - started),
        "latencies": {latency: _figures(of_latency) for latency, of_latency in measured.items()},
    }
    if arguments.only is None:
        figures["ready"] = ready.compare(chosen, ready.NAMES, 1)
    whole = {str(latency): {n: asdict(s) for n, s in each.items()} for latency, each in measured.items()}
    THROUGHPUT.write_text(json.dumps({**figures, "runs": whole}, indent=1))
    if arguments.only is None:
        write_report(figures, whole, arguments.peers)
    print(json.dumps(figures))


def _measure(chosen: dict[str, Contender], latency: int, rounds: int, captures: int) -> dict[str, Series]:
    chromium = find_chromium()
    with pages.serving(latency) as site:
        numbers = itertools.count()

        def once(contender: Contender, tabs: int) -> Run:
            # Every run has URLs of its own, warm-up included.
            urls = [f"{url}-{next(numbers)}" for url in pages.urls(site, captures + uncounted_captures(tabs))]
            measured = run(contender, chromium, urls, tabs)
            speed = f"{measured.captures_a_second:.2f} per second, {measured.cpu_seconds:.3f} CPU seconds each"
            print(f"bench: {latency} ms, {contender.name} with {tabs} tabs: {speed}", file=sys.stderr)
            return measured

        series = {}
        for name, contender in chosen.items():
            numbers_of_tabs = contender.tabs or TABS.get(latency, (2, 4, 8))
            tried = {tabs: once(contender, tabs).captures_a_second for tabs in numbers_of_tabs}
            series[name] = Series(max(tried, key=lambda tabs: tried[tabs]))
        for number in range(rounds):
            print(f"bench: {latency} ms, round {number + 1} of {rounds}", file=sys.stderr)
            for each in series.values():
                each.rounds.append([])
            for name in _turns(list(chosen), number):
                series[name].rounds[-1].append(once(chosen[name], series[name].tabs))
    return series


def _turns(names: list[str], number: int) -> list[str]:
    """The contenders of a round in order. The first one changes, so that a machine that slows down favours none."""
    close = [each for each in names if each in CLOSE]
    peers = _rotated([each for each in names if each not in CLOSE], number)
    turns = []
    for part in range(TURNS):
        turns += [*_rotated(close, number + part), *peers[part::TURNS]]
    return turns


def _rotated(names: list[str], by: int) -> list[str]:
    first = by % max(1, len(names))
    return [*names[first:], *names[:first]]


def _figures(series: dict[str, Series]) -> dict[str, Any]:
    """Captures per second of each contender, and the ratios of medians with their spread over the rounds."""
    figures: dict[str, Any] = {name: round(each.speed, 2) for name, each in series.items()}
    for ratio, (one, other) in RATIOS.items():
        if one in series and other in series:
            figures[ratio] = round(series[one].speed / series[other].speed, 3)
            by_round = [a / b for a, b in zip(series[one].speeds, series[other].speeds, strict=True)]
            figures[f"{ratio}Spread"] = [round(min(by_round), 3), round(max(by_round), 3)]
    if "limit" in series:
        for name, ratio in (("renderer", "rendererCpuToLimit"), ("pipeline", "cpuToLimit")):
            if name in series:
                figures[ratio] = round(series[name].cpu / series["limit"].cpu, 3)
    figures["tabs"] = {name: each.tabs for name, each in series.items()}
    return figures


if __name__ == "__main__":
    main()
