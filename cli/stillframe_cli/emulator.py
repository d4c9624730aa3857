"""The embedded AWS environment: MiniStack in a separate process, on loopback by default."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from .embedded_variables import CONFIG_TEXT, REGION, apply, exported_variables
from .state_directory import only_user

START_SECONDS = 30
STOP_SECONDS = 10
# The directory that `-m stillframe_cli.emulator_process` is imported from.
IMPORT_ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # for containers, which have a network of their own
# Connections that wait to be accepted: a load test opens many at once.
BACKLOG = 2048
SERVICES = "sqs,dynamodb,s3,monitoring,secretsmanager"
EVENT_SERVICES = f"{SERVICES},dynamodbstreams,events"


class Emulator:
    """A running emulator and the address of its endpoint."""

    def __init__(self, process: subprocess.Popen[bytes], endpoint: str, port: int, config_file: Path) -> None:
        self._process = process
        self.port = port
        self._config_file = config_file
        self.endpoint = endpoint

    @property
    def exports(self) -> dict[str, str]:
        """The standard AWS variables that point an SDK to the emulator. The credentials are not secret."""
        return exported_variables(self.endpoint, self._config_file, os.environ)

    def use_in_this_process(self) -> None:
        """Point the SDK of this process to the emulator, and to nothing else."""
        apply(self.exports, os.environ)

    @property
    def pid(self) -> int:
        """The process id of the emulator, which leads its own process group."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def run_until(self, stopped: threading.Event) -> None:
        """Wait for the event. Raises click.ClickException if the emulator ends before that."""
        while not stopped.wait(0.5):
            if not self.is_alive:
                raise click.ClickException("The embedded AWS environment stopped unexpectedly.")

    def stop(self) -> None:
        """Terminate the process, and kill it if it does not end in time."""
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
    """Start an emulator, and stop it at the end.

    Port 0 selects a free one. The state is kept in memory, or in the directory `state` if given. `variables` are added
    to the emulator's environment. Raises click.ClickException that says why the port or the directory cannot be used,
    or with the emulator's output when it does not start.
    """
    if importlib.util.find_spec("ministack") is None:
        raise ModuleNotFoundError("No module named 'ministack'", name="ministack")
    # A server on every address is reached on loopback.
    host = LOOPBACK if bind == EVERY_ADDRESS else bind
    # Bound here and handed over: what answers on this port can only be the emulator.
    with (
        listen(bind, port) as listener,
        contextlib.nullcontext() if state is None else only_user(state) as lock,
        tempfile.TemporaryDirectory(prefix="stillframe-emulator-") as scratch,
    ):
        port = listener.getsockname()[1]
        log_path = Path(scratch) / "emulator.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "stillframe_cli.emulator_process", str(listener.fileno()), str(os.getpid())],
                pass_fds=(listener.fileno(), *([] if lock is None else [lock])),
                cwd=IMPORT_ROOT,
                env={**_environment(bind, host, port, state, Path(scratch)), "SERVICES": services, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal must not reach the emulator: it has to outlive the captures that then finish.
                start_new_session=True,
            )
        # Once the emulator has ended, connections are refused.
        listener.close()
        config_file = Path(scratch) / "aws-config"
        config_file.write_text(CONFIG_TEXT)
        emulator = Emulator(process, f"http://{_bracketed(host)}:{port}", port, config_file)
        try:
            _wait_until_healthy(emulator, log_path)
            yield emulator
        finally:
            emulator.stop()


def _environment(bind: str, host: str, port: int, state: Path | None, scratch: Path) -> dict[str, str]:
    # The emulator needs no other variables of ours, and must not see credentials.
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
    environment = {
        **kept,
        # Its guard imports the domain, which is elsewhere in the image than beside the command line.
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "BIND_HOST": bind,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": host,
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "WARNING",
        # Its MQTT listener would be open to the whole network.
        "IOT_MTLS_ENABLED": "0",
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
            # Connect to loopback directly, even if the environment names a proxy.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(f"{emulator.endpoint}/_ministack/health", timeout=2).close()
            return
        time.sleep(0.05)
    output = log_path.read_text(errors="replace").strip()[-1500:]
    raise click.ClickException(f"The embedded AWS environment did not start on {emulator.endpoint}: {output}")


def listen(bind: str, port: int) -> socket.socket:
    """Bind the port and listen. Raises click.ClickException that says what to do instead."""
    try:
        family, _, _, _, address = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise click.ClickException(f"--bind {bind} is not an address of this machine: {error.strerror}") from error
    except OSError as error:
        raise click.ClickException(_explain(error, bind, port)) from error


def _explain(error: OSError, bind: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {bind} is in use by another program. Choose one with --port, or a free one with --port 0."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs root's permission. Choose one above 1023 with --port, or a free one with --port 0."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--bind {bind} is not an address of this machine. Without --bind, the environment is on {LOOPBACK}."
    return f"Port {port} of {bind} cannot be used: {error.strerror}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
