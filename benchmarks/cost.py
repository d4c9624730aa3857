"""The cost of a thousand captures by page class: measured CPU time and durations, at the sizes that `plan` calculates.

python -m benchmarks.cost --captures 40
python -m benchmarks.cost --reprice    # the measured figures of the last run, at the prices and sizes of now
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any

from stillframe.archive import Archive
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe_cli.capacity.figures import Figures, from_records
from stillframe_cli.capacity.lambda_size import lambda_size
from stillframe_cli.capacity.prices import service_usd
from stillframe_cli.capacity.target import Target
from stillframe_cli.poller import Poller
from stillframe_cli.receive_loop import ReceiveLoop
from stillframe_cli.session import EmbeddedEnvironment, embedded_environment
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

from . import pages
from .contenders.job import is_full_page
from .machine import describe_machine

LATENCY_MS = 300
# Few tabs, so that captures do not wait for each other.
TABS = "2"
# The first captures of a class are not counted: the browser has just started.
WARM_UP = 5
THOUSAND = 1000
ARCHITECTURES = ("arm64", "x86")
RESULTS = Path(__file__).parent / "results" / "cost.json"
MARKER = "<!-- Below: written by `python -m benchmarks.cost`. -->"
PAGE = Path(__file__).resolve().parents[1] / "docs/cost.md"


def main() -> None:
    """Print the figures as one JSON line on stdout, and write them to benchmarks/results and docs/cost.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=40, help="captures per page class")
    parser.add_argument("--reprice", action="store_true", help="measure nothing, and price the last run anew")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    result = repriced(json.loads(RESULTS.read_text())) if arguments.reprice else _run(arguments.captures)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    kept = PAGE.read_text().partition(MARKER)[0]
    PAGE.write_text(f"{kept}{MARKER}\n\n{_table(result)}")
    print(json.dumps(result))


def _run(captures: int) -> dict[str, Any]:
    with pages.serving(LATENCY_MS) as site:
        classes = {name: _priced(_measure(site, name, captures)) for name in pages.CLASSES}
    return {"machine": describe_machine(), "captures": captures, "latencyMs": LATENCY_MS, "classes": classes}


def repriced(result: dict[str, Any]) -> dict[str, Any]:
    """The same measurements at the prices and sizes of now."""
    classes = {
        name: _priced(Figures(each["cpuMs"], each["durationMs"], each["p99Ms"], each["bytes"], each["source"]))
        for name, each in result["classes"].items()
    }
    return {**result, "classes": classes}


def _measure(site: str, name: str, captures: int) -> Figures:
    """Capture pages of a class, and calculate the figures from the records that the worker has written."""
    overrides = {"STILLFRAME_ALLOW_HOSTS": site, "STILLFRAME_TABS": TABS}
    requests = [
        CaptureRequest(
            url=f"http://{site}/{name}?{number}",
            request_id=f"{name}-{number:04d}",
            options={"fullPage": True} if is_full_page(f"/{name}") else {},
        )
        for number in range(captures + WARM_UP)
    ]
    with embedded_environment(**overrides) as environment:
        _capture(environment, requests)
        records = sorted(Archive(environment.clients, environment.settings).all_records(), key=lambda each: each.id)
    figures = from_records(records[WARM_UP:])
    print(f"cost: {name}, {figures.cpu_ms:.0f} ms CPU of {figures.duration_ms:.0f} ms", file=sys.stderr)
    return figures


def _capture(environment: EmbeddedEnvironment, requests: list[CaptureRequest]) -> None:
    settings, clients = environment.settings, environment.clients
    loop = ReceiveLoop(settings.tabs_ceiling)
    configure_process()
    runtime = Runtime.build(settings, clients, [loop.observe])
    try:
        runtime.engine.warm_up()
        time.sleep(1)
        list(Producer(clients, settings).send(requests))
        poller = Poller(clients, settings, runtime.handler.handle)
        loop.run(poller, threading.Event(), wait_seconds=1, until_empty=True, tabs=lambda: runtime.tabs.width)
    finally:
        runtime.close()


def _priced(figures: Figures) -> dict[str, Any]:
    sizes = {name: lambda_size(figures, Target(per_hour=1000), name) for name in ARCHITECTURES}
    services = {name: service_usd(THOUSAND, size.batch_size) for name, size in sizes.items()}
    return {
        **figures.to_wire(),
        "memoryMb": sizes["arm64"].worker.memory_mb,
        "tabs": sizes["arm64"].worker.tabs,
        "computeUsdPerThousand": {name: round(size.usd_per_capture * THOUSAND, 4) for name, size in sizes.items()},
        "usdPerThousand": {
            name: round(size.usd_per_capture * THOUSAND + services[name], 4) for name, size in sizes.items()
        },
    }


def _table(result: dict[str, Any]) -> str:
    machine = result["machine"]
    lines = [
        f"{machine['cpus']} CPUs of {machine['processor']}, {result['captures']} captures per page class, "
        f"{result['latencyMs']} ms per response, {TABS} tabs.",
        "",
        "| page | CPU | from claim to stored | memory, tabs | compute, USD per thousand (arm64 / x86) "
        "| total, USD per thousand (arm64 / x86) |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, each in result["classes"].items():
        compute, everything = each["computeUsdPerThousand"], each["usdPerThousand"]
        lines.append(
            f"| {name} | {each['cpuMs']} ms | {each['durationMs']} ms, p99 {each['p99Ms']} ms "
            f"| {each['memoryMb']} MB, {each['tabs']} | {compute['arm64']:.4f} / {compute['x86']:.4f} "
            f"| {everything['arm64']:.3f} / {everything['x86']:.3f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
