"""Run the arm64 image: its Python side, `doctor` and one capture; the last line is JSON with how long each took.

    python -m tests.arm64.run

On an x86 machine, QEMU emulates the processor (`scripts/emulate-arm64`). The containers are as confined as in Lambda.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from stillframe.request.capture_request import CaptureRequest
from stillframe_cli.emulator import running_emulator
from stillframe_cli.provision import QueuePolicy
from tests.support.cloud import Cloud
from tests.support.docker import AS_LAMBDA, ENVIRONMENT, docker
from tests.support.events import event_of
from tests.support.pixels import GREEN, Pixels
from tests.support.site import serving_site
from tests.support.workers import ROOT

IMAGE = "stillframe:arm64"
PLATFORM = "linux/arm64"
BUILD_SECONDS = 3600
RUN_SECONDS = 900
PROBE = ROOT / "tests/arm64/slow_machine.py"
# As in Lambda, so that renderers need no zygote.
VARIABLES = {
    "AWS_LAMBDA_RUNTIME_API": "none",
    "STILLFRAME_TABS": "1",
    "STILLFRAME_MAX_BROWSER_MB": str(1 << 20),
    "STILLFRAME_JOB_DEADLINE_SECONDS": "840",
}
OPTIONS = {"viewport": {"width": 320, "height": 200}, "timeoutMs": 120_000}


def main() -> int:
    """Print the figures. Returns 1 if a step fails, which is named on stderr."""
    figures: dict[str, Any] = {}
    for name, step in {"build": build, "python": python, "doctor": doctor, "capture": capture}.items():
        print(f"arm64: {name}", file=sys.stderr)
        started = time.monotonic()
        try:
            figures |= step()
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            print(f"arm64: {name} failed: {error}", file=sys.stderr)
            figures["failed"] = name
        figures[f"{name}Seconds"] = round(time.monotonic() - started, 1)
        if "failed" in figures:
            break
    print(json.dumps(figures))
    return 1 if "failed" in figures else 0


def build() -> dict[str, Any]:
    """Build the image, with the emulation that this takes, unless it is up to date."""
    for command in (["emulate-arm64"], ["image", IMAGE]):
        subprocess.run(
            [str(ROOT / "scripts" / command[0]), *command[1:]],
            env={**ENVIRONMENT, "PLATFORM": PLATFORM},
            stdout=sys.stderr,
            check=True,
            timeout=BUILD_SECONDS,
        )
    (image,) = json.loads(docker("image", "inspect", IMAGE))
    assert image["Architecture"] == "arm64", image["Architecture"]
    return {"imageBytes": image["Size"]}


def python() -> dict[str, Any]:
    """Import the handler and every compiled package, and ask the command line for its version."""
    script = "import platform, adblock, PIL.Image, stillframe_renderer.handler; print(platform.machine())"
    machine = inside("python3", "-c", script)
    assert machine == "aarch64", machine
    return {"machine": machine, "version": inside("stillframe", "--version")}


def doctor() -> dict[str, Any]:
    """Let the image examine itself, its browser and its fonts included."""
    lines = inside("python3", "/probe.py", "doctor", may_fail=True).splitlines()
    verdicts = {each["subject"]: each["verdict"] for each in map(json.loads, lines)}
    assert verdicts["browser"] == "ok", lines
    return {"doctor": verdicts}


def capture() -> dict[str, Any]:
    """Capture a page of this machine, from an event to an image in the bucket."""
    with running_emulator() as emulator, serving_site("127.0.0.1") as site:
        cloud = Cloud.create(emulator, QueuePolicy(RUN_SECONDS, 5), STILLFRAME_ALLOW_HOSTS=site)
        url = f"http://{site}/colour?hex=00aa00"
        body = CaptureRequest(url=url, request_id="arm64", options=OPTIONS).to_body()
        output = inside("python3", "/probe.py", "capture", event=event_of(body), variables=cloud.exports)
        run: dict[str, Any] = json.loads(output.splitlines()[-1])
        assert run["answer"] == {"batchItemFailures": []}, output
        assert Pixels(cloud.image("arm64")).is_all(GREEN), output
        assert cloud.audit().is_clean
    return {name: round(value, 1) for name, value in run.items() if name != "answer"}


def inside(
    program: str,
    *arguments: str,
    event: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
    may_fail: bool = False,
) -> str:
    """Run a program of the image; returns its output. Raises subprocess.SubprocessError."""
    environment = {**(variables or {}), **VARIABLES}
    # A file of this machine: the variables have the same.
    environment.pop("AWS_CONFIG_FILE", None)
    options = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
    command = [
        *("docker", "run", "--rm", "--interactive", "--platform", PLATFORM, "--network", "host", *AS_LAMBDA, *options),
        *("--volume", f"{PROBE}:/probe.py:ro", "--entrypoint", program, IMAGE, *arguments),
    ]
    done = subprocess.run(
        command,
        env=ENVIRONMENT,
        input=json.dumps(event or {}),
        stdout=subprocess.PIPE,
        text=True,
        check=not may_fail,
        timeout=RUN_SECONDS,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
