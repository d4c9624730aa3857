"""What captures take in Lambda: the image under the runtime interface emulator, with the memory and CPU of each preset.

python -m benchmarks.function --rounds 3
python -m benchmarks.function --rounds 3 --mix-only --image stillframe:before --image stillframe:local

Each run is a new container: read-only, as nobody, with so much memory and the share of a CPU that Lambda gives to it.
Its first event is a cold start; then come events with one page each, and full ones, of pages of all classes in turn
(`mix`) at each latency, and of each class at 300 ms per response. Several images are measured in turn, and their ratios
are printed. Needs Docker and the images (`make image`), and `make e2e` once for the emulator.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from stacks.presets import PRESETS
from stillframe_cli.capacity.figures import ASSUMED_BYTES, Figures
from stillframe_cli.capacity.lambda_size import THOUSAND, Invocation
from stillframe_cli.capacity.prices import service_usd
from stillframe_cli.capacity.worker import lambda_vcpus
from stillframe_cli.emulator import running_emulator
from stillframe_cli.provision import QueuePolicy
from tests.support.cloud import Cloud
from tests.support.docker import IMAGE, bridge_address
from tests.support.runtime_emulator import runtime_emulator

from . import function_report, pages
from .environment import Environment, Event, Run
from .machine import describe_machine

LATENCIES_MS = (0, 50, 300)
MIX = "mix"
# Captures of one run. Events with one page each take longer.
FULL_EVENTS, SINGLE_EVENTS = 4, 12
Key = tuple[str, str, int, str]


def sizes() -> list[tuple[int, int, int]]:
    """Memory in MB, tabs and batch size of the presets. Medium and large differ in their number of workers only."""
    return sorted({(preset["memoryMb"], preset["tabs"], preset["batchSize"]) for preset in PRESETS.values()})


def _size(text: str) -> tuple[int, int, int]:
    memory, tabs, batch = map(int, text.split(":"))
    return memory, tabs, batch


def main() -> None:
    """Print progress on stderr, and the figures as one JSON line on stdout. They are kept in benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--image", action="append", help="may be repeated; the first is what others are compared with")
    parser.add_argument("--size", type=_size, action="append", metavar="MB:TABS:BATCH", help="in place of the presets'")
    parser.add_argument("--mix-only", action="store_true", help="only pages of all classes, at 300 ms")
    parser.add_argument("--keep", action="store_true", help="write the results file, and the tables of docs")
    options = parser.parse_args()
    images = options.image or [IMAGE]
    runs: dict[Key, list[Run]] = defaultdict(list)
    starts: dict[tuple[str, int], list[dict[str, int]]] = defaultdict(list)
    chosen = options.size or sizes()
    with _surroundings() as (cloud, sites):
        for number, size in itertools.product(range(options.rounds), chosen):
            # In every round, another image goes first.
            for image in (*images[number % len(images) :], *images[: number % len(images)]):
                with Environment.started(image, runtime_emulator(), cloud, *size) as environment:
                    first = environment.first_image(sites[0])
                    starts[image, size[0]].append(first)
                    print(f"function: {image} at {size[0]} MB: first image in {first['totalMs']} ms", file=sys.stderr)
                    environment.warm_up(sites[0])
                    for latency_ms, name, batch in _plan(size[2], options.mix_only):
                        run = environment.run(_events(sites[latency_ms], name, batch))
                        runs[image, f"{size[0]}/{batch}", latency_ms, name].append(run)
                        print(f"function: {name} at {latency_ms} ms, {batch} an event: {run}", file=sys.stderr)
    result = {
        "machine": describe_machine(),
        "rounds": options.rounds,
        "images": {image: _of_image(image, chosen, runs, starts) for image in images},
    }
    result["plan"] = compared_with_plan(result["images"][images[-1]])
    if len(images) > 1:
        result["ratios"] = _ratios(images, runs, starts)
    if options.keep:
        function_report.RESULTS.write_text(json.dumps(result, indent=1) + "\n")
        function_report.write(result)
    print(json.dumps(result))


@contextlib.contextmanager
def _surroundings() -> Iterator[tuple[Cloud, dict[int, str]]]:
    """An emulated account, and the site by its latency in milliseconds, both where containers can reach them."""
    with contextlib.ExitStack() as stack:
        bridge = bridge_address()
        sites = {each: stack.enter_context(pages.serving(each, bridge)) for each in LATENCIES_MS}
        emulator = stack.enter_context(running_emulator(bind=bridge))
        yield Cloud.create(emulator, QueuePolicy(300, 5), STILLFRAME_ALLOW_HOSTS=",".join(sites.values())), sites


def _plan(batch: int, is_mix_only: bool) -> Iterator[tuple[int, str, int]]:
    """Latency, page class and pages an event of each run."""
    for size in (1, batch):
        yield from ((each, MIX, size) for each in LATENCIES_MS if each == LATENCIES_MS[-1] or not is_mix_only)
        if not is_mix_only:
            yield from ((LATENCIES_MS[-1], name, size) for name in pages.CLASSES)


def _events(site: str, name: str, batch: int) -> list[Event]:
    """Events of pages, as many that each class of the mix is there equally often."""
    names = list(pages.CLASSES) if name == MIX else [name]
    turn = itertools.cycle(names)
    count = SINGLE_EVENTS if batch == 1 else FULL_EVENTS
    wanted = max(count, len(names)) if name == MIX else count // (1 if batch > 1 else 2)
    return [[f"http://{site}/{next(turn)}" for _ in range(batch)] for _ in range(wanted)]


def _of_image(
    image: str,
    chosen: list[tuple[int, int, int]],
    runs: dict[Key, list[Run]],
    starts: dict[tuple[str, int], list[dict[str, int]]],
) -> dict[str, Any]:
    """The figures by memory: the cold start by its parts, and each run by pages, latency and batch."""
    return {
        str(memory): {
            "tabs": tabs,
            "batch": full,
            "coldStart": _medians(starts[image, memory]),
            "runs": {
                f"{name}/{latency_ms}/{batch}": Run.together(found).to_wire(memory)
                for batch in (1, full)
                for (of, size, latency_ms, name), found in runs.items()
                if (of, size) == (image, f"{memory}/{batch}")
            },
        }
        for memory, tabs, full in chosen
    }


def figures_of(measured: dict[str, Any]) -> Figures:
    """What a capture of the mix takes, means over the sizes: its CPU time in full events, and its duration alone."""
    cpu_ms, waiting_ms, p95_ms = [], [], []
    for memory, each in measured.items():
        alone, full = (each["runs"][f"{MIX}/{LATENCIES_MS[-1]}/{batch}"] for batch in (1, each["batch"]))
        cpu_ms.append(full["cpuMs"])
        waiting_ms.append(alone["meanMs"] - alone["cpuMs"] / min(1.0, lambda_vcpus(int(memory))))
        p95_ms.append(full["p95Ms"])
    cpu = statistics.fmean(cpu_ms)
    return Figures(cpu, cpu + statistics.fmean(waiting_ms), max(p95_ms), ASSUMED_BYTES, "bench-lambda")


def compared_with_plan(measured: dict[str, Any]) -> dict[str, Any]:
    """What `plan` would say of these figures, divided by what was measured, by memory and pages an event."""
    figures, ratios = figures_of(measured), {}
    for memory, each in measured.items():
        for batch in (1, each["batch"]):
            run = each["runs"][f"{MIX}/{LATENCIES_MS[-1]}/{batch}"]
            planned, services = Invocation.of(figures, int(memory), batch), service_usd(THOUSAND, batch)
            _, usd = function_report.usd_per_thousand(run, "arm64", batch)
            ratios[f"{memory}/{batch}"] = {
                "capturesPerSecond": round(planned.captures_per_second / run["capturesPerSecond"], 3),
                "usdPerThousand": round((planned.usd_per_capture("arm64") * THOUSAND + services) / usd, 3),
            }
    return {"figures": figures.to_wire(), "toMeasured": ratios}


def _medians(starts: list[dict[str, int]]) -> dict[str, int]:
    return {name: round(statistics.median(each[name] for each in starts)) for name in starts[0]}


def _ratios(
    images: list[str], runs: dict[Key, list[Run]], starts: dict[tuple[str, int], list[dict[str, int]]]
) -> dict[str, dict[str, float]]:
    """The seconds a capture of each further image, and its cold start, divided by those of the first."""
    found: dict[str, dict[str, float]] = {}
    for image in images[1:]:
        ratios = found[image] = {}
        for (of, size, latency_ms, name), of_first in runs.items():
            if of == images[0]:
                mine = Run.together(runs[image, size, latency_ms, name])
                ratio = mine.seconds_per_capture / Run.together(of_first).seconds_per_capture
                ratios[f"{size} {name}/{latency_ms}"] = round(ratio, 3)
        for (of, memory), of_first_start in starts.items():
            if of == images[0]:
                mine_ms, first_ms = (_medians(each)["totalMs"] for each in (starts[image, memory], of_first_start))
                ratios[f"{memory} coldStart"] = round(mine_ms / first_ms, 3)
    return found


if __name__ == "__main__":
    main()
