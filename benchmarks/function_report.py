"""The tables of the documents about the function, from the results of `make bench-lambda`.

python -m benchmarks.function_report    # writes them again, at the prices of now, without measuring
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stillframe.cost import LAMBDA_USD_PER_GB_SECOND
from stillframe_cli.capacity.prices import LAMBDA_PER_REQUEST, service_usd

RESULTS = Path(__file__).parent / "results" / "function.json"
DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- Written by `make bench-lambda`. -->", "<!-- End of what it has written. -->"
ARCHITECTURES = ("arm64", "x86")
THOUSAND = 1000


def write(result: dict[str, Any]) -> None:
    """Replace the tables in the pages by those of the last image that was measured."""
    sizes = list(result["images"].values())[-1]
    machine = result["machine"]
    measured = f"{machine['cpus']} CPUs of {machine['processor']}, rounds: {result['rounds']}."
    for name, lines in {"performance.md": _times(sizes), "cost.md": _prices(sizes)}.items():
        page = DOCS / name
        before, _, rest = page.read_text().partition(BEGIN)
        text = "\n".join([measured, "", *lines])
        page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


def usd_per_thousand(run: dict[str, Any], architecture: str, batch: int) -> tuple[float, float]:
    """Compute alone with its requests, and everything, for events of so many pages."""
    compute = THOUSAND * (run["gbSeconds"] * LAMBDA_USD_PER_GB_SECOND[architecture] + LAMBDA_PER_REQUEST / batch)
    return compute, compute + service_usd(THOUSAND, batch)


def _runs(size: dict[str, Any]) -> Iterator[tuple[str, int, int, dict[str, Any]]]:
    """Pages, latency in milliseconds, pages an event, and the figures of each run."""
    for name, run in size["runs"].items():
        pages, latency_ms, batch = name.split("/")
        yield pages, int(latency_ms), int(batch), run


def _times(sizes: dict[str, Any]) -> Iterator[str]:
    """What events take by memory, pages, latency and size, and what a cold start takes."""
    yield (
        "| memory, tabs | pages, ms per response, pages an event | captures a second | GB-seconds a capture "
        "| CPU | from claim to stored: median, p95 |"
    )
    yield "| --- | --- | --- | --- | --- | --- |"
    for memory, size in sizes.items():
        for pages, latency_ms, batch, run in _runs(size):
            yield (
                f"| {memory} MB, {size['tabs']} | {pages}, {latency_ms}, {batch} | {run['capturesPerSecond']:.2f} "
                f"| {run['gbSeconds']:.3f} | {run['cpuMs']} ms | {run['p50Ms']} ms, {run['p95Ms']} ms |"
            )
    yield ""
    yield "| memory | first image | process until ready | browser | first capture |"
    yield "| --- | --- | --- | --- | --- |"
    for memory, size in sizes.items():
        start = size["coldStart"]
        parts = " | ".join(f"{start[part]} ms" for part in ("totalMs", "importMs", "browserMs", "firstCaptureMs"))
        yield f"| {memory} MB | {parts} |"


def _prices(sizes: dict[str, Any]) -> Iterator[str]:
    """What a thousand captures of each kind of page cost, in full events and in events of one page."""
    yield "| pages | memory, pages an event | CPU | compute, USD (arm64 / x86) | everything, USD (arm64 / x86) |"
    yield "| --- | --- | --- | --- | --- |"
    latency = max(latency_ms for size in sizes.values() for _, latency_ms, _, _ in _runs(size))
    for memory, size in sizes.items():
        for pages, latency_ms, batch, run in _runs(size):
            if latency_ms == latency:
                compute, total = zip(*(usd_per_thousand(run, each, batch) for each in ARCHITECTURES), strict=True)
                yield (
                    f"| {pages} | {memory} MB, {batch} | {run['cpuMs']} ms | {compute[0]:.4f} / {compute[1]:.4f} "
                    f"| {total[0]:.4f} / {total[1]:.4f} |"
                )


if __name__ == "__main__":
    write(json.loads(RESULTS.read_text()))
