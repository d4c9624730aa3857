"""Docker through its command line: the helpers that the tests of the image use."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.workers import ROOT

IMAGE = "stillframe:local"
# Prefer the client in /usr/bin: one that is newer than Debian's engine would need plug-ins that are not installed.
ENVIRONMENT = {**os.environ, "PATH": f"/usr/bin:{os.environ['PATH']}"}
# "Lambda quotas": 1,024 processes and threads. A task gets no more here, either.
CONFINED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "1024")
# "Lambda quotas": so much memory comes with one vCPU.
MB_PER_VCPU = 1769
# What a container gets in Lambda: a read-only root, a /tmp that every user can write, and no privileges.
AS_LAMBDA = (*CONFINED, "--tmpfs", "/tmp:size=512m,mode=1777")
# The default size of a task of the fleet.
TASK_SIZE = ("--cpus", "1", "--memory", "2048m")
SCRATCH = "/tmp"
# Of version 1 of cgroups, and of version 2.
ANONYMOUS_BYTES = """
if [ -f /sys/fs/cgroup/memory/memory.stat ]; then awk '/^total_rss /{print $2}' /sys/fs/cgroup/memory/memory.stat
else awk '/^anon /{print $2}' /sys/fs/cgroup/memory.stat; fi"""


def docker(*arguments: str, check: bool = True, timeout: float = 120) -> str:
    """Run a docker command; returns its output without surrounding whitespace."""
    done = subprocess.run(
        ["docker", *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=timeout
    )
    assert done.returncode == 0 or not check, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def as_task(image: str) -> tuple[str, ...]:
    """What a container gets in a task of the fleet: as in Lambda, but with the volume that Fargate mounts at /tmp.

    A volume that the image declares has the owner and the mode of its directory, in Docker as in Fargate. Any other is
    root's, with mode 0755; Docker would be kinder, so that a tmpfs takes its place.
    """
    (description,) = json.loads(docker("image", "inspect", image))
    is_declared = SCRATCH in (description["Config"].get("Volumes") or {})
    volume = ("--volume", SCRATCH) if is_declared else ("--tmpfs", f"{SCRATCH}:mode=0755")
    return (*CONFINED, *TASK_SIZE, *volume)


def bridge_address() -> str:
    """The address of this machine on Docker's bridge, which only containers can reach."""
    (network,) = json.loads(docker("network", "inspect", "bridge"))
    config = network["IPAM"]["Config"][0]
    # Some engines omit the gateway when it is the default, the first address of the subnet.
    return config.get("Gateway") or str(next(ipaddress.ip_network(config["Subnet"]).hosts()))


def logs(container: str) -> list[dict[str, Any]]:
    """The JSON lines that a container has logged."""
    done = subprocess.run(["docker", "logs", container], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class Function:
    """The image under the runtime interface emulator, invoked over HTTP."""

    def __init__(self, container: str, address: str) -> None:
        self.container = container
        self._url = f"http://{address}:8080/2015-03-31/functions/function/invocations"

    def invoke(self, event: dict[str, Any], timeout: float = 120) -> dict[str, Any]:
        request = urllib.request.Request(self._url, json.dumps(event).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=timeout) as answer:
            result: dict[str, Any] = json.loads(answer.read())
        return result

    def shell(self, command: str) -> str:
        return docker("exec", self.container, "sh", "-c", command)

    def anonymous_bytes(self) -> int:
        """The anonymous memory of the whole container."""
        return int(self.shell(ANONYMOUS_BYTES))

    def lines(self) -> list[dict[str, Any]]:
        return logs(self.container)


@contextlib.contextmanager
def task(image: str, exports: dict[str, str], *command: str) -> Iterator[str]:
    """Start the image as a task of the fleet; yields the id of its container."""
    variables = [part for name, value in exports.items() for part in ("--env", f"{name}={value}")]
    container = docker("run", "--detach", *as_task(image), *variables, image, *command)
    try:
        yield container
    finally:
        docker("rm", "--force", "--volumes", container, check=False)


@contextlib.contextmanager
def function(
    rie: Path, exports: dict[str, str], *options: str, memory_mb: int | None = None, image: str = IMAGE
) -> Iterator[Function]:
    """Start the image as Lambda does: read-only, unprivileged, with 2 CPUs, or with memory and its share of CPU."""
    variables = [part for name, value in exports.items() for part in ("--env", f"{name}={value}")]
    size = ["--cpus", "2" if memory_mb is None else f"{memory_mb / MB_PER_VCPU:.2f}"]
    if memory_mb is not None:
        size += ["--memory", f"{memory_mb}m", "--memory-swap", f"{memory_mb}m"]
        size += ["--env", f"AWS_LAMBDA_FUNCTION_MEMORY_SIZE={memory_mb}"]
    container = docker("run", "--detach", *AS_LAMBDA, *size, "--volume", f"{rie}:/rie:ro", *variables, *options, image)
    try:
        address = docker("inspect", container, "--format", "{{.NetworkSettings.IPAddress}}")
        running = Function(container, address)
        wait_for_port(address)
        yield running
    finally:
        docker("rm", "--force", "--volumes", container, check=False)


def wait_for_port(address: str, port: int = 8080, seconds: float = 20) -> None:
    """Wait until a server listens there. The runtime emulator listens at once and initializes at the first event."""
    import socket

    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on {address}:{port} after {seconds} s")


def script(name: str, *arguments: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    """Run one of the repository's scripts."""
    return subprocess.run(
        [str(ROOT / "scripts" / name), *arguments], capture_output=True, text=True, check=False, timeout=timeout
    )
