"""Pages that take too much memory, each beside ordinary ones in one event of the function: does it end alone?

python -m benchmarks.memory
python -m benchmarks.memory --only blobs --only layers

The image runs under the runtime interface emulator, a new container for each row, with the memory and tabs of the small
preset. A row is "alone" if the ordinary pages of the event have the same images as before, settled, at their first
attempt, and the kernel has killed no process. Needs Docker and the image (`make image`), and `make e2e` once for the
emulator.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stacks.presets import PRESETS
from stillframe import log_messages
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record, Status
from stillframe_cli.emulator import running_emulator
from stillframe_cli.provision import QueuePolicy
from tests.support.cloud import Cloud
from tests.support.docker import IMAGE, Function, bridge_address, docker, function
from tests.support.events import event_of
from tests.support.runtime_emulator import runtime_emulator

from . import memory_kinds, pages
from .environment import PEAK_BYTES
from .machine import describe_machine
from .memory_site import path_of

PRESET = PRESETS["small"]
SITE_PORT = 9000
SITES = tuple(f"127.0.0.{number}:{SITE_PORT}" for number in (1, 2))
# The ordinary pages are there for as long as the hostile one needs.
ORDINARY = {"text": 0, "images": 1500, "tall": 3000, "css": 4500}
HOSTILE_OPTIONS = {"waitUntil": "load", "delayMs": 6000, "timeoutMs": 20000}
INVOKE_SECONDS = 180
MAX_TRIES = 3
# Of version 1 of cgroups, and of version 2.
OOM_KILLS = """
cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null | awk '/^oom_kill /{print $2}'"""
SITE_FOLDER = Path(__file__).parent
_runs = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Row:
    """How an event with hostile pages ended. `harmed` says what happened to which ordinary page."""

    name: str
    hostile: list[str]
    harmed: dict[str, str]
    oom_kills: int
    peak_mb: int
    browsers: int
    workers: int
    seconds: float

    @property
    def is_alone(self) -> bool:
        return not self.harmed and not self.oom_kills and self.workers == 1

    def to_wire(self) -> dict[str, Any]:
        return {**asdict(self), "alone": self.is_alone}


def main() -> int:
    """Print progress on stderr, and the rows as one JSON line on stdout. Returns 1 unless all end alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="ROW", help="may be repeated")
    parser.add_argument("--image", default=IMAGE)
    parser.add_argument("--jobs", type=int, default=1, help="containers at once")
    options = parser.parse_args()
    runtime_emulator()
    bridge = bridge_address()
    with pages.serving(0, bridge) as ordinary, running_emulator(bind=bridge) as emulator:
        cloud = Cloud.create(emulator, QueuePolicy(300, 5), STILLFRAME_ALLOW_HOSTS=",".join([ordinary, *SITES]))
        with ThreadPoolExecutor(options.jobs) as threads:
            rows = list(
                threads.map(
                    lambda name: row_of(name, options.image, cloud, ordinary), options.only or memory_kinds.TABLE
                )
            )
    alone = sum(row.is_alone for row in rows)
    result = {"machine": describe_machine(), "memoryMb": PRESET["memoryMb"], "tabs": PRESET["tabs"], "alone": alone}
    print(json.dumps({**result, "rows": [row.to_wire() for row in rows]}))
    return 0 if alone == len(rows) else 1


def row_of(name: str, image: str, cloud: Cloud, ordinary: str) -> Row:
    """Put the hostile pages of a row beside ordinary ones. `ordinary` is host and port of the site of those."""
    exports = {**cloud.exports, "STILLFRAME_TABS": str(PRESET["tabs"])}
    kinds = memory_kinds.TABLE[name]
    with (
        function(runtime_emulator(), exports, memory_mb=PRESET["memoryMb"], image=image) as running,
        _site_beside(running, image),
    ):
        innocent = _innocent(name, ordinary)
        before = _before(running, cloud, name, [(url, {}) for url, _ in innocent])
        hostile = [
            (
                f"http://{SITES[0]}{path_of(kind, number)}",
                {**HOSTILE_OPTIONS, "fullPage": kind in memory_kinds.FULL_PAGE},
            )
            for number, kind in enumerate(kinds)
        ]
        began = time.monotonic()
        after = _captured(running, cloud, name, [*hostile, *innocent[: PRESET["tabs"] - len(hostile)]])
        seconds = time.monotonic() - began
        messages = [line.get("message") for line in running.lines()]
        row = Row(
            name=name,
            hostile=[_end_of(record) for record in after[: len(hostile)]],
            harmed={
                url.rpartition("/")[2]: harm
                for (url, _), then, now in zip(innocent, before, after[len(hostile) :], strict=False)
                if (harm := _harm(then, now))
            },
            oom_kills=int(running.shell(OOM_KILLS) or 0),
            peak_mb=int(running.shell(PEAK_BYTES)) >> 20,
            browsers=messages.count(log_messages.BROWSER_STARTED),
            workers=messages.count("worker ready"),
            seconds=round(seconds, 1),
        )
    print(f"memory: {'alone' if row.is_alone else 'NOT ALONE'}: {row.to_wire()}", file=sys.stderr, flush=True)
    return row


def _innocent(name: str, ordinary: str) -> list[tuple[str, dict[str, Any]]]:
    if name in memory_kinds.BESIDE_IMAGES:
        return [(f"http://{SITES[0]}/images?{delay}", {"delayMs": delay}) for delay in ORDINARY.values()]
    return [(f"http://{ordinary}/{each}", {"delayMs": delay}) for each, delay in ORDINARY.items()]


def _before(
    running: Function, cloud: Cloud, name: str, wanted: list[tuple[str, dict[str, Any]]]
) -> list[Record | None]:
    """The records of ordinary pages that have nothing beside them. What goes wrong then says nothing about a row."""
    for number in range(MAX_TRIES):
        records = _captured(running, cloud, f"{name}-before{number}", wanted)
        if all(record is not None and record.status is Status.SUCCESS for record in records):
            break
        print(f"memory: {name}: repeated, before: {[_end_of(record) for record in records]}", file=sys.stderr)
    return records


def _captured(
    running: Function, cloud: Cloud, prefix: str, wanted: list[tuple[str, dict[str, Any]]]
) -> list[Record | None]:
    """The records after one event."""
    # A record that is there already would be skipped, and look like a page that nothing has happened to.
    run = next(_runs)
    ids = [f"{prefix.replace(' ', '_').replace(',', '')}-{run}-{number}" for number in range(len(wanted))]
    bodies = [
        CaptureRequest(url=url, request_id=each, options=options).to_body()
        for each, (url, options) in zip(ids, wanted, strict=True)
    ]
    # A worker that has died does not answer: its records say so.
    with contextlib.suppress(OSError):
        running.invoke(event_of(*bodies), timeout=INVOKE_SECONDS)
    return [cloud.find_record(each) for each in ids]


def _end_of(record: Record | None) -> str:
    if record is None:
        return "no record"
    return f"{record.error_code}: {record.error_message}" if record.error_code else record.status.value


def _harm(before: Record | None, after: Record | None) -> str:
    """What happened to an ordinary page, empty if nothing did."""
    if after is None or before is None or before.status is not Status.SUCCESS:
        return f"no record; {_end_of(before)} before"
    if after.status is not Status.SUCCESS:
        return _end_of(after)
    if not after.settled:
        return f"not settled: {after.unsettled}"
    if after.attempts != 1:
        return f"{after.attempts} attempts"
    return "" if after.sha256 == before.sha256 else "another image"


@contextlib.contextmanager
def _site_beside(running: Function, image: str) -> Iterator[None]:
    """Serve the hostile pages on the loopback address of the function's container, from a container of its own."""
    site = docker(
        *("run", "--detach", "--network", f"container:{running.container}", "--entrypoint", "python3"),
        *("--volume", f"{SITE_FOLDER}:/site/{SITE_FOLDER.name}:ro", "--env", "PYTHONPATH=/site", image),
        *("-m", "benchmarks.memory_site", str(SITE_PORT)),
    )
    try:
        give_up_at = time.monotonic() + 20
        while "serving" not in docker("logs", site) and time.monotonic() < give_up_at:
            time.sleep(0.05)
        yield
    finally:
        docker("rm", "--force", "--volumes", site, check=False)


if __name__ == "__main__":
    sys.exit(main())
