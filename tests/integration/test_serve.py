"""`serve`: the whole service on this machine, through its HTTP API."""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from tests.support.event_rules import EventRule
from tests.support.workers import ROOT, STILLFRAME, environment

SMALL = {"viewport": {"width": 64, "height": 48}}


def start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*STILLFRAME, "serve", "--port", "0", "--json", "--tabs", "1", *options],
        cwd=ROOT,
        env=environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(process.communicate()[1])
    url: str = json.loads(line)["url"]
    return url


def stop(process: subprocess.Popen[str]) -> str:
    """End the service as a platform does. Returns what it has said on standard error."""
    process.send_signal(signal.SIGTERM)
    _, notes = process.communicate(timeout=60)
    assert process.returncode == 0, notes
    return notes


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def call(url: str, body: Any = None, **headers: str) -> Any:
    """The answer of the API, redirects followed."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(request, timeout=60)


def test_a_page_is_sent_waited_for_and_kept(site: str, chromium: str, state: Path) -> None:
    # Given the service on this machine
    options = ("--allow-host", site, "--state", str(state))
    process = start(*options)
    try:
        url = url_of(process)
        # When a page is sent by somebody who waits
        body = {"url": f"http://{site}/colour?hex=00aa00", "requestId": "green", "options": SMALL}
        with call(f"{url}/v1/screenshots", body, Prefer="wait=25") as reply:
            image = reply.read()
        # Then the answer leads to its image
        assert image[:4] == b"\x89PNG"
    finally:
        stop(process)
    # And the next run, with the same state, still has it
    process = start(*options)
    try:
        with call(f"{url_of(process)}/v1/screenshots/green/image") as reply:
            assert reply.read() == image
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_a_page_that_is_captured_is_an_event(site: str, chromium: str) -> None:
    # Given the service on this machine, and a rule for its events
    process = start("--allow-host", site)
    try:
        assert process.stdout is not None
        announced = json.loads(process.stdout.readline())
        session: Any = boto3.Session("test", "test", region_name="us-east-1")
        client = functools.partial(session.client, endpoint_url=announced["endpoint"])
        rule = EventRule(client, {"detail-type": ["Screenshot Captured"], "detail": {"tenant": ["acme"]}})
        # When a page is captured, and one of somebody else
        for number, tenant in enumerate(("other", "acme")):
            url = f"http://{site}/colour?hex=00aa00"
            body = {"url": url, "requestId": f"page-{number}", "tenant": tenant, "options": SMALL}
            call(f"{announced['url']}/v1/screenshots", body, Prefer="wait=25").close()
        # Then the rule has the event of the former
        (event,) = rule.wait_for(1)
        assert (event["source"], event["detail"]["id"]) == ("stillframe", "page-1")
    finally:
        process.send_signal(signal.SIGTERM)
        _, notes = process.communicate(timeout=60)
    assert process.returncode == 0, notes


def test_a_worker_beside_it_captures_and_links_lead_where_callers_reach_them(
    site: str, chromium: str, state: Path, tmp_path: Path
) -> None:
    # Given a service without a worker, in whose network the callers have another name for the environment
    with socket.create_server(("127.0.0.1", 0)) as free:
        aws_port = free.getsockname()[1]
    variables = tmp_path / "env.sh"
    addresses = ("--bind", "0.0.0.0", "--aws-port", str(aws_port), "--aws-url", f"http://localhost:{aws_port}")
    process = start(*addresses, "--no-worker", "--env-file", str(variables))
    try:
        url = url_of(process)
        body = {"url": f"http://{site}/colour?hex=00aa00", "requestId": "green", "options": SMALL}
        call(f"{url}/v1/screenshots", body).close()
        # When a worker of its own runs on the same environment
        command = f". {variables} && exec {' '.join(STILLFRAME)} consume"
        allowed = environment({"STILLFRAME_ALLOW_HOSTS": site})
        subprocess.run(["sh", "-c", command], cwd=ROOT, env=allowed, check=True, timeout=60, capture_output=True)
        # Then the image is there, by a link with the callers' name, which the page of the service may show
        with call(f"{url}/v1/screenshots/green/image") as reply:
            assert urlsplit(reply.url).netloc == f"localhost:{aws_port}"
            assert reply.read()[:4] == b"\x89PNG"
        with call(f"{url}/") as page:
            assert f"img-src 'self' data: http://localhost:{aws_port};" in page.headers["Content-Security-Policy"]
    finally:
        notes = stop(process)
    assert "Whoever reaches port" in notes


@pytest.mark.parametrize("address", ["localhost:4566", "ftp://localhost", "http://localhost/path"])
def test_an_address_that_is_none_is_said_before_anything_starts(address: str) -> None:
    # Given an address of images that lacks a part, or has one too many, when the service is to start
    command = [*STILLFRAME, "serve", "--port", "0", "--aws-url", address]
    done = subprocess.run(command, cwd=ROOT, env=environment({}), capture_output=True, text=True, check=False)
    # Then it says what to write
    assert done.returncode == 2
    assert f"{address} is no address of the form http://HOST:PORT" in done.stderr


def test_a_port_that_is_taken_is_found_out_first(state: Path) -> None:
    # Given a port of another program
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [*STILLFRAME, "serve", "--port", str(port), "--state", str(state)]
        # When the service is to use it
        done = subprocess.run(command, cwd=ROOT, env=environment({}), capture_output=True, text=True, check=False)
    # Then it says so, and has started and written nothing
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Port {port} of 127.0.0.1 is in use" in done.stderr
    assert not os.path.lexists(state)


def test_a_state_is_of_one_service_at_a_time(state: Path) -> None:
    # Given a service that keeps its state in a directory, where another one would overwrite it
    first = start("--state", str(state), "--no-worker")
    url_of(first)
    command = [*STILLFRAME, "serve", "--port", "0", "--state", str(state)]
    # When a second one is to use it
    done = subprocess.run(command, cwd=ROOT, env=environment({}), capture_output=True, text=True, check=False)
    # Then it says so, and starts nothing
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Another `stillframe serve` or `stillframe dev` keeps its state in {state}" in done.stderr
    # And once the first one is gone, however it ended, the next one starts
    first.kill()
    first.communicate()
    after = start("--state", str(state), "--no-worker")
    assert url_of(after)
    stop(after)
