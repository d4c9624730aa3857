"""The embedded AWS environment: MiniStack in a process of its own, on loopback only."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

START_SECONDS = 30
STOP_SECONDS = 10
REGION = "us-east-1"
REPOSITORY_ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # for containers, whose network is their own
SERVICES = "sqs,dynamodb,s3,monitoring"


class Emulator:
    """A running emulator. Its state is in memory, or in `state` when that is given."""

    def __init__(self, process: subprocess.Popen[bytes], endpoint: str) -> None:
        self._process = process
        self.endpoint = endpoint

    @property
    def exports(self) -> dict[str, str]:
        """The standard AWS variables that point an SDK here. The credentials are no secret."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def adopt_process(self) -> None:
        """Point the SDK of this process here. A profile of the user's would send it to a real account."""
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        os.environ.update(self.exports)

    @property
    def pid(self) -> int:
        """Its process, which leads a process group of its own."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process, by force if it does not end by itself."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def running_emulator(
    port: int = 0,
    state: Path | None = None,
    bind: str = LOOPBACK,
    services: str = SERVICES,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Emulator]:
    """Start an emulator and stop it at the end. Port 0 takes a free one; `variables` are for the emulator itself.

    Raises click.ClickException with the emulator's own words when it does not start.
    """
    port = port or free_port(bind)
    # A server on every address is reached on loopback.
    host = LOOPBACK if bind == EVERY_ADDRESS else bind
    with tempfile.TemporaryDirectory(prefix="stillframe-emulator-") as scratch:
        log_path = Path(scratch) / "emulator.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "stillframe_cli.emulator_process", str(os.getpid())],
                cwd=REPOSITORY_ROOT,
                env={**_environment(bind, host, port, state, Path(scratch)), "SERVICES": services, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal is for us; the emulator outlives the drain of the workers.
                start_new_session=True,
            )
        emulator = Emulator(process, f"http://{host}:{port}")
        try:
            _wait_until_healthy(emulator, log_path)
            yield emulator
        finally:
            emulator.stop()


def _environment(bind: str, host: str, port: int, state: Path | None, scratch: Path) -> dict[str, str]:
    # No variable of ours, credentials above all, is the emulator's business.
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
    environment = {
        **kept,
        "BIND_HOST": bind,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": host,
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(scratch),
    }
    if state is not None:
        environment |= {
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(state / "s3"),
        }
    return environment


def _wait_until_healthy(emulator: Emulator, log_path: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        if not emulator.is_alive:
            break
        with contextlib.suppress(OSError):
            # Loopback never goes through a proxy, whatever the environment says.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(f"{emulator.endpoint}/_ministack/health", timeout=2).close()
            return
        time.sleep(0.05)
    words = log_path.read_text(errors="replace").strip()[-1500:]
    raise click.ClickException(f"the embedded AWS environment did not start on {emulator.endpoint}: {words}")


def free_port(host: str) -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
