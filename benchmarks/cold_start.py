"""The cold starts of the zip functions, in the image's Python under the runtime interface emulator, by memory.

python -m benchmarks.cold_start --starts 5

`firstMs` is the time from the first event until its answer: initialisation, imports, clients and the first request.
`againMs` is that of the next one. Each start is a new container with the share of a CPU that Lambda gives to so much
memory. Needs Docker and the image (`make image`), and `make e2e` once for the emulator. The packages are those of the
image and not those of the layer, which has fewer.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

from stillframe_cli.emulator import EVENT_SERVICES, running_emulator
from stillframe_cli.provision import QueuePolicy
from stillframe_cli.webhook_provision import provision_webhooks
from tests.support.cloud import Cloud
from tests.support.docker import AS_LAMBDA, IMAGE, MB_PER_VCPU, Function, bridge_address, docker, wait_for_port
from tests.support.runtime_emulator import runtime_emulator

from .machine import describe_machine

HEALTH: dict[str, Any] = {
    "rawPath": "/health",
    "headers": {},
    "requestContext": {"http": {"method": "GET", "path": "/health"}, "stage": "$default"},
}
NOTHING: dict[str, Any] = {"Records": []}
# The handler of each function, an event for it, and the memory that its stack gives it.
FUNCTIONS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "api": ("stillframe_api.handler.handler", HEALTH, (512, 1024, 1769)),
    "notifier": ("stillframe_notifier.handler.handler", NOTHING, (256, 512, 1024)),
    "webhooks": ("stillframe_webhooks.handler.handler", NOTHING, (256, 512, 1024)),
}


def first_and_next(handler: str, event: dict[str, Any], exports: dict[str, str], memory_mb: int) -> tuple[float, float]:
    """The milliseconds of the first invocation of a new container, and of the second."""
    variables = [part for name, value in exports.items() for part in ("--env", f"{name}={value}")]
    size = ["--cpus", f"{memory_mb / MB_PER_VCPU:.2f}", "--memory", f"{memory_mb}m"]
    mount = ["--volume", f"{runtime_emulator()}:/rie:ro"]
    container = docker("run", "--detach", *AS_LAMBDA, *size, *mount, *variables, IMAGE, handler)
    try:
        address = docker("inspect", container, "--format", "{{.NetworkSettings.IPAddress}}")
        running = Function(container, address)
        wait_for_port(address)
        return _timed(running, event), _timed(running, event)
    finally:
        docker("rm", "--force", "--volumes", container, check=False)


def _timed(function: Function, event: dict[str, Any]) -> float:
    began = time.monotonic()
    answer = function.invoke(event)
    assert "errorType" not in answer, answer
    return (time.monotonic() - began) * 1000


def main() -> None:
    """Print the medians as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with running_emulator(bind=bridge_address(), services=EVENT_SERVICES) as emulator:
        cloud = Cloud.create(emulator, QueuePolicy())
        exports = {**cloud.exports, **provision_webhooks(cloud.clients), "STILLFRAME_API_AUTHORISATION": "gateway"}
        for name, (handler, event, sizes) in FUNCTIONS.items():
            for memory_mb in sizes:
                runs = [first_and_next(handler, event, exports, memory_mb) for _ in range(options.starts)]
                first, again = (round(statistics.median(run[place] for run in runs)) for place in (0, 1))
                figures[f"{name}{memory_mb}"] = {"firstMs": first, "againMs": again}
                print(f"{name} at {memory_mb} MB: first {first} ms, next {again} ms", file=sys.stderr)
    print(json.dumps({**figures, "machine": describe_machine()}))


if __name__ == "__main__":
    main()
