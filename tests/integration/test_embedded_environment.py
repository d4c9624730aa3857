"""The commands that need no account, in the environment of a company: proxies, profiles and other endpoints."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.workers import ROOT, environment

pytestmark = pytest.mark.usefixtures("chromium")


class Elsewhere:
    """A server that refuses everything, as a proxy or as an endpoint. `calls` are the first lines of the requests."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.calls.append(connection.recv(4096).decode(errors="replace").partition("\r\n")[0])
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    yield server
    server.close()


@pytest.fixture
def company(elsewhere: Elsewhere, tmp_path: Path) -> dict[str, str]:
    """An environment in which every setting leads elsewhere."""
    url, config = elsewhere.url, tmp_path / "company-config"
    config.write_text(
        f"[profile company]\nendpoint_url = {url}\nservices = all\n[services all]\nsqs =\n  endpoint_url = {url}\n"
    )
    services = ("SQS", "DYNAMODB", "S3", "CLOUDWATCH", "SECRETS_MANAGER")
    return {
        **{name: url for proxy in ("http_proxy", "https_proxy", "all_proxy") for name in (proxy, proxy.upper())},
        **{f"AWS_ENDPOINT_URL_{service}": url for service in services},
        "AWS_CONFIG_FILE": str(config),
        "AWS_PROFILE": "company",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_CA_BUNDLE": "/nowhere",
        "AWS_SESSION_TOKEN": "a-token",
    }


def run(*arguments: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stillframe_cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(variables), capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("command", ["shoot", "demo"])
def test_local_commands_contact_nothing_else(
    command: str, company: dict[str, str], elsewhere: Elsewhere, site: str, tmp_path: Path
) -> None:
    # Given an environment in which every setting leads elsewhere
    pages = [f"http://{site}/colour?hex=00aa00", "--allow-host", site] if command == "shoot" else []
    # When pages are captured on this machine
    done = run(command, *pages, "--out", str(tmp_path / "out"), variables=company)
    # Then they are captured, and nothing was contacted but the embedded environment
    assert (done.returncode, elsewhere.calls) == (0, []), done.stderr


def test_what_dev_prints_is_enough_for_a_shell(
    company: dict[str, str], elsewhere: Elsewhere, site: str, tmp_path: Path
) -> None:
    # Given `dev` in that environment
    server = subprocess.Popen(
        [sys.executable, "-m", "stillframe_cli", "dev", "--port", "0"],
        cwd=ROOT,
        env=environment(company),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    try:
        lines: list[str] = []
        while not lines or lines[-1].startswith("export "):
            lines.append(server.stdout.readline())
        script = tmp_path / "env.sh"
        script.write_text("".join(lines))
        # When a shell in the same environment sources what it printed, and captures a page
        url = f"http://{site}/colour?hex=00aa00"
        stillframe = f"{shlex.quote(sys.executable)} -m stillframe_cli"
        commands = f"""
            . {shlex.quote(str(script))}
            {stillframe} send {shlex.quote(url)} --request-id page
            {stillframe} consume
            {stillframe} status page --json"""
        done = subprocess.run(
            ["sh", "-ec", commands],
            cwd=ROOT,
            env=environment({**company, "STILLFRAME_ALLOW_HOSTS": site}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        server.terminate()
        server.communicate(timeout=20)
    # Then it is captured, and nothing was contacted but the embedded environment
    assert '"status":"success"' in done.stdout.replace(" ", ""), done.stderr
    assert elsewhere.calls == []
