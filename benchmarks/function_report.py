"""The tables of docs/performance.md about the function, from the results of `make bench-lambda`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs/performance.md"
BEGIN, END = "<!-- Written by `make bench-lambda`. -->", "<!-- End of what it has written. -->"


def write(result: dict[str, Any], image: str) -> None:
    """Replace the tables in the page by those of an image's results."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(result, image)}\n{END}{rest.partition(END)[2]}")


def tables(result: dict[str, Any], image: str) -> str:
    """What events take by memory, pages, latency and size, and what a cold start takes."""
    machine, sizes = result["machine"], result["images"][image]
    lines = [
        f"{machine['cpus']} CPUs of {machine['processor']}, rounds: {result['rounds']}.",
        "",
        "| memory, tabs | pages, ms per response, pages an event | captures a second | GB-seconds a capture "
        "| compute, USD per thousand (arm64) | CPU | from claim to stored: median, p95 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for memory, size in sizes.items():
        for name, run in size["runs"].items():
            pages, latency_ms, batch = name.split("/")
            lines.append(
                f"| {memory} MB, {size['tabs']} | {pages}, {latency_ms}, {batch} | {run['capturesPerSecond']:.2f} "
                f"| {run['gbSeconds']:.3f} | {run['computeUsdPerThousand']['arm64']:.4f} | {run['cpuMs']} ms "
                f"| {run['p50Ms']} ms, {run['p95Ms']} ms |"
            )
    lines += ["", "| memory | first image | process until ready | browser | first capture |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    for memory, size in sizes.items():
        start = size["coldStart"]
        lines.append(
            f"| {memory} MB | {start['totalMs']} ms | {start['importMs']} ms | {start['browserMs']} ms "
            f"| {start['firstCaptureMs']} ms |"
        )
    return "\n".join(lines) + "\n"
