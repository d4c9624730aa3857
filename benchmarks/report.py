"""Writes the tables and the plot of the last run into docs/performance.md."""

from __future__ import annotations

import json
import statistics
import subprocess
import textwrap
from pathlib import Path
from typing import Any

from .harness import contenders

DOCS = Path(__file__).resolve().parents[1] / "docs"
# The figures and all runs of the last whole benchmark.
THROUGHPUT = Path(__file__).parent / "results/throughput.json"
# The ratios of each run, with what each should be; None for one that is shown for information.
GOALS: dict[str, float | None] = {
    "rendererToLimit": 0.97,
    "pipelineToLimit": 0.92,
    "pipelineToShotScraper": 2.0,
    "pipelineToPuppeteerCluster": 1.5,
    "pipelineToPlaywright": 1.3,
    "pipelineToLaunchPerShot": None,
    "guardedToUnguarded": 0.95,
}
WAITS = {
    "pipeline": "the page has settled",
    "playwright": "`networkidle`",
    "puppeteerCluster": "`networkidle0`",
    "shotScraperParallel": "`load`",
}
# At everybody's own idea of ready: how many times as fast as these two the pipeline should be.
READY_GOAL = 2.0
READY_PEERS = ("playwright", "puppeteerCluster")
LINE_CHARS = 120
MARKER = "<!-- Below: written by `make bench`. -->"


def write_report(figures: dict[str, Any], runs: dict[str, Any], peers: Path) -> None:
    """Replace everything below the marker in docs/performance.md, and the plot beside it."""
    page = DOCS / "performance.md"
    kept = page.read_text().partition(MARKER)[0]
    page.write_text(f"{kept}{MARKER}\n\n{_tables(figures, runs, peers)}")
    plot = Path(__file__).with_name("plot.py")
    data = json.dumps({"figures": figures, "titles": _titles(peers)})
    subprocess.run(
        [str(peers / "bin/python"), str(plot), str(DOCS / "performance.svg")], input=data, text=True, check=True
    )


def _titles(peers: Path) -> dict[str, str]:
    return {name: contender.title for name, contender in contenders(peers).items()}


def _tables(figures: dict[str, Any], runs: dict[str, Any], peers: Path) -> str:
    machine = figures["machine"]
    rounds = f"{figures['rounds']} round{'s' if figures['rounds'] > 1 else ''}"
    about = (
        f"{machine['cpus']} CPUs of {machine['processor']}, {machine['memoryGb']} GB, {machine['system']}, "
        f"Python {machine['python']}, Chromium {machine['chromium']}; medians of {rounds} with "
        f"{figures['capturesARun']} captures per run (each round has {figures['turns']} runs of the limit, the "
        "renderer and the pipeline, and 1 of every other contender)."
    )
    lines = [
        *_wrapped(about),
        "",
        "![captures per second](performance.svg)",
        "",
    ]
    titles = _titles(peers)
    for latency, of_latency in figures["latencies"].items():
        lines += [f"### {latency} ms per response", ""]
        lines += ["| | tabs | captures per second | CPU seconds per capture | p50 | p95 | p99 | peak memory |"]
        lines += ["| --- | --- | --- | --- | --- | --- | --- | --- |"]
        for name, tabs in of_latency["tabs"].items():
            runs_of_contender = [run for each in runs[str(latency)][name]["rounds"] for run in each]
            times = sorted(time for run in runs_of_contender for time in run["milliseconds"])
            cpu = statistics.median(run["cpu_seconds"] for run in runs_of_contender)
            peak = max(run["peak_mb"] for run in runs_of_contender)
            percentiles = " | ".join(
                f"{times[min(len(times) - 1, int(len(times) * part))]} ms" for part in (0.5, 0.95, 0.99)
            )
            lines.append(
                f"| {titles[name]} | {tabs} | {of_latency[name]:.2f} | {cpu:.3f} | {percentiles} | {peak:.0f} MB |"
            )
        lines += ["", "| ratio | measured | range over the rounds | goal |", "| --- | --- | --- | --- |"]
        for ratio, goal in GOALS.items():
            low, high = of_latency[f"{ratio}Spread"]
            wanted = "none" if goal is None else f"{goal:.2f}"
            lines.append(f"| {ratio} | {of_latency[ratio]:.2f} | {low:.2f} to {high:.2f} | {wanted} |")
        lines += [f"| cpuToLimit | {of_latency['cpuToLimit']:.2f} | | at most 1.10 |", ""]
    if "ready" in figures:
        lines += _ready(figures["ready"], titles)
    return "\n".join(lines)


def _ready(figures: dict[str, Any], titles: dict[str, str]) -> list[str]:
    """Everybody at their own idea of ready: speed and mistakes, side by side."""
    about = (
        f"The {figures['pages']} pages of the [corpus](../tests/corpus/pages.py) that all can be asked for, "
        f"{figures['latencyMs']} ms per response, {figures['tabs']} tabs, rounds: {figures['rounds']} "
        "(`python -m benchmarks.ready`). A page without a picture was not ready within "
        f"{figures['timeoutSeconds']} s, the default timeout of all of them."
    )
    lines = [
        "### When a page is ready, as each understands it",
        "",
        *_wrapped(about),
        "",
        "| | waits until | captures per second | wrong pictures | without a picture |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, each in figures["contenders"].items():
        counts = f"{each['capturesASecond']:.2f} | {len(each['wrong'])} | {len(each['none'])}"
        lines.append(f"| {titles[name]} | {WAITS[name]} | {counts} |")
    ratios = " and ".join(f"{figures['pipelineTo'][name]:.2f} times as fast as {titles[name]}" for name in READY_PEERS)
    return [*lines, "", *_wrapped(f"Stillframe is {ratios} (goal {READY_GOAL})."), ""]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LINE_CHARS, break_on_hyphens=False)
