"""A soak of the function: the image under the runtime emulator with 1536 MB, whose memory must not grow.

python -m tests.soak.function --captures 2000

Prints what it has after the first hundred captures and at the end, the medians of several samples between two events,
as one JSON line. Needs Docker and the image (`make image`), and `make e2e` once for the emulator.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks import pages
from benchmarks.contenders.job import is_full_page
from stillframe.request.capture_request import CaptureRequest
from stillframe_cli.emulator import running_emulator
from stillframe_cli.provision import QueuePolicy
from tests.support.cloud import Cloud
from tests.support.docker import Function, bridge_address, function
from tests.support.events import event_of
from tests.support.runtime_emulator import runtime_emulator

MEMORY_MB, TABS, BATCH = 1536, 5, 5
LATENCY_MS = 50
MEASURED_AT = 100
# The median of so many events up to a number of captures.
SAMPLES = 8
MAX_GROWTH = 1.05
ZOMBIES = "cat /proc/[0-9]*/stat 2>/dev/null | awk '$3 == \"Z\"' | wc -l"
TMP_KB = "du -s /tmp | cut -f1"


def main() -> int:
    """Print progress on stderr, and the figures as one JSON line on stdout. Returns 1 if something has grown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=2000)
    captures = parser.parse_args().captures
    bridge = bridge_address()
    with pages.serving(LATENCY_MS, bridge) as site, running_emulator(bind=bridge) as emulator:
        cloud = Cloud.create(emulator, QueuePolicy(300, 5), STILLFRAME_ALLOW_HOSTS=site, STILLFRAME_TABS=str(TABS))
        with function(runtime_emulator(), cloud.exports, memory_mb=MEMORY_MB) as running:
            figures = _soak(running, pages.urls(site, captures))
        images = len(cloud.versions())
    growth = figures["memoryMb"]["end"] / figures["memoryMb"]["at100"]
    is_clean = growth <= MAX_GROWTH and not figures["zombies"] and images == captures
    print(json.dumps({"captures": captures, "images": images, **figures, "growth": round(growth, 3)}))
    return 0 if is_clean else 1


def _soak(running: Function, urls: list[str]) -> dict[str, Any]:
    memory: list[int] = []
    tmp_kb: list[int] = []
    for number, batch in enumerate(_events(urls), 1):
        bodies = [
            CaptureRequest(
                url=url, request_id=f"soak-{number}-{place}", options={"fullPage": True} if is_full_page(url) else {}
            ).to_body()
            for place, url in enumerate(batch)
        ]
        assert running.invoke(event_of(*bodies)) == {"batchItemFailures": []}
        memory.append(running.anonymous_bytes())
        tmp_kb.append(int(running.shell(TMP_KB)))
        if number * BATCH % MEASURED_AT == 0:
            print(f"soak: {number * BATCH} of {len(urls)}, {memory[-1] >> 20} MB", file=sys.stderr)
    first = MEASURED_AT // BATCH
    return {
        "memoryMb": {"at100": _median_mb(memory[first - SAMPLES : first]), "end": _median_mb(memory[-SAMPLES:])},
        "tmpKb": {"at100": tmp_kb[first - 1], "end": tmp_kb[-1]},
        "zombies": int(running.shell(ZOMBIES)),
    }


def _events(urls: list[str]) -> Iterator[list[str]]:
    return (urls[start : start + BATCH] for start in range(0, len(urls), BATCH))


def _median_mb(samples: list[int]) -> float:
    return round(statistics.median(samples) / 2**20, 1)


if __name__ == "__main__":
    sys.exit(main())
