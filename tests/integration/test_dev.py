"""`dev`: its port, its files, its life in the background."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shlex
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillframe_cli.emulator import running_emulator
from tests.support.workers import ROOT, STILLFRAME, environment, wait_for


def test_the_emulator_listens_on_its_own_port_only() -> None:
    # Given a free port for MiniStack's MQTT listener, which would otherwise bind 8883 on every address
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = str(probe.getsockname()[1])
    # When an emulator runs
    with running_emulator(variables={"IOT_MTLS_PORT": free}) as emulator:
        port = int(emulator.endpoint.rpartition(":")[2])
        # Then nothing else of it can be reached, on loopback or from elsewhere
        assert ports_of(emulator.pid) == {("127.0.0.1", port)}


def ports_of(pid: int) -> set[tuple[str, int]]:
    """Addresses on which a process listens (proc(5), /proc/net/tcp)."""
    inodes = {os.readlink(link)[8:-1] for link in Path(f"/proc/{pid}/fd").iterdir() if "socket:" in os.readlink(link)}
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            address, port = fields[1].split(":")
            found.add((socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)))
    return found


class Dev:
    """Runs `stillframe dev` with runtime files of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = environment({"XDG_RUNTIME_DIR": str(folder)})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*STILLFRAME, "dev", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script in bash, with `stillframe` as the command of this checkout."""
        command = " ".join(map(shlex.quote, STILLFRAME))
        return subprocess.run(
            ["bash", "-ec", f'stillframe() {{ {command} "$@"; }}\n{script}'],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    running = Dev(tmp_path)
    yield running
    running.run("stop", "--all")


class Stranger(http.server.BaseHTTPRequestHandler):
    """Another program's server, which answers everything."""

    calls: list[str]

    def do_POST(self) -> None:
        self.calls.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_POST

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # name given by the base class
        """Log nothing."""


@contextlib.contextmanager
def stranger() -> Iterator[type[Stranger]]:
    handler = type("Handler", (Stranger,), {"calls": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        handler.port = server.server_port  # type: ignore[attr-defined]
        yield handler
        server.shutdown()


@pytest.mark.parametrize("detach", [[], ["--detach"]])
def test_dev_never_talks_to_a_strangers_port(dev: Dev, detach: list[str]) -> None:
    # Given another program that answers on the port
    with stranger() as other:
        # When
        done = dev.run("--port", str(other.port), *detach)  # type: ignore[attr-defined]
        # Then it is a sentence, and the other program was asked nothing
        assert (done.returncode, done.stdout, other.calls) == (1, "", [])
        assert f"Port {other.port} of 127.0.0.1 is in use by another program" in done.stderr  # type: ignore[attr-defined]
        assert "--port 0" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bind", "192.0.2.1"], "192.0.2.1 is not an address of this machine"),
        (["--bind", "nowhere.invalid"], "nowhere.invalid"),
        (["--state", "notes.txt"], "is a file"),
        (["--env-file", "nowhere/env.sh"], "nowhere is not a directory"),
    ],
)
def test_what_dev_cannot_use_is_a_sentence(dev: Dev, arguments: list[str], words: str) -> None:
    (dev.folder / "notes.txt").write_text("mine")
    done = dev.run("--port", "0", *arguments)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_dev_runs_in_the_background_until_it_is_stopped(dev: Dev) -> None:
    # Given an environment in the background, with its variables in files
    done = dev.run("--port", "0", "--detach", "--env-file", "env.sh", "--sam-env", "env.json")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    exports = dict(
        line.removeprefix("export ").split("=", 1)
        for line in (dev.folder / "env.sh").read_text().splitlines()
        if line.startswith("export ")
    )
    port = exports["AWS_ENDPOINT_URL"].strip("'").rpartition(":")[2]
    # Then the file for SAM has what its template names, and nobody else may read either file
    sam = json.loads((dev.folder / "env.json").read_text())["Renderer"]
    assert {"QUEUE_URL", "AWS_ENDPOINT_URL", "TABLE_NAME", "BUCKET_NAME", "DEAD_LETTER_QUEUE_URL"} <= sam.keys()
    assert sam["QUEUE_URL"] == exports["QUEUE_URL"]
    assert {(dev.folder / name).stat().st_mode & 0o777 for name in ("env.sh", "env.json")} == {0o600}
    # When it is started a second time, then that says that it runs
    again = dev.run("--port", port)
    assert (again.returncode, f"`stillframe dev` already runs on port {port}" in again.stderr) == (1, True)
    # When it is stopped, then the port is free
    stopped = dev.run("stop", "--port", port)
    assert (stopped.returncode, f"Stopped the environment on port {port}" in stopped.stderr) == (0, True)
    with socket.create_server(("127.0.0.1", int(port))):
        pass
    # And there is nothing left to stop
    none = dev.run("stop", "--port", port)
    assert (none.returncode, f"No `stillframe dev` runs on port {port}" in none.stderr) == (1, True)


def test_a_process_with_the_number_of_one_that_ended_is_not_stopped(dev: Dev) -> None:
    # Given the file of an environment that has ended, whose process id another program has now
    with subprocess.Popen(["sleep", "60"]) as other:
        folder = dev.folder / "stillframe"
        folder.mkdir()
        (folder / "dev-4599.json").write_text(json.dumps({"pid": other.pid, "startedAt": "1"}))
        # When it is to be stopped
        done = dev.run("stop", "--port", "4599")
        # Then the other program goes on
        assert (done.returncode, other.poll()) == (1, None)
        other.kill()


def test_the_block_of_the_readme_works_when_it_is_pasted(dev: Dev, chromium: str, site: str) -> None:
    # Given the block, with a free port and a page on this machine
    text = (ROOT / "docs/quick-start.md").read_text().partition("keep the environment running:")[2]
    lines = [line.removeprefix("    ") for line in text.partition("\n\n## ")[0].splitlines() if line.startswith("    ")]
    block = "\n".join(lines)
    assert "https://example.com" in block
    script = block.replace("https://example.com", f"'http://{site}/colour?hex=00aa00'")
    script = script.replace("stillframe dev --detach", "stillframe dev --detach --port 0")
    # When it is pasted
    done = dev.shell(f"export STILLFRAME_ALLOW_HOSTS={site}\n{script}")
    # Then every command of it works
    assert done.returncode == 0, done.stderr
    assert (dev.folder / "order-42.png").read_bytes().startswith(b"\x89PNG")
    wait_for(lambda: dev.run("stop").returncode == 1, what="the end of the environment")
