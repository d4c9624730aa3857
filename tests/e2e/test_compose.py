"""`docker compose up --scale consumer=3`, as in the README."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.docker import script
from tests.support.workers import ROOT, wait_for

MESSAGES = 100
PROJECT = "stillframe-e2e"
API_PORT = 18080
AWS_PORT = 14566


def compose(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        [str(ROOT / "scripts/compose"), "--project-name", PROJECT, *arguments],
        env={**os.environ, "MESSAGES": str(MESSAGES), "API_PORT": str(API_PORT), "AWS_PORT": str(AWS_PORT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0 or not check, done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def up(image: str) -> Iterator[None]:
    built = script("image", "stillframe:embedded", "embedded")
    assert built.returncode == 0, built.stderr[-3000:]
    compose("up", "--detach", "--scale", "consumer=3")
    try:
        yield
    finally:
        compose("down", "--timeout", "20", "--volumes", check=False)


def post(url: str, body: dict[str, Any], **headers: str) -> Any:
    """The answer, redirects followed, without a proxy."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)


def audit() -> dict[str, Any]:
    # The audit exits with 1 while a record seems to have lost its message, which may happen while this polls.
    lines = compose("exec", "-T", "embedded", "stillframe", "audit", "--json", check=False).splitlines()
    summary: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return summary


def test_three_consumers_drain_a_hundred_messages(up: None, figures: dict[str, Any]) -> None:
    # Given three consumers, a producer and a site, when the producer has sent its messages
    summaries: list[dict[str, Any]] = [{}]

    def is_drained() -> bool:
        summaries.append(audit())
        return summaries[-1].get("objects") == MESSAGES and summaries[-1]["pendingMessages"] == 0

    wait_for(is_drained, 240, f"{MESSAGES} objects and an empty queue")
    # Then each is captured once, and every consumer captures some of them
    clean = {"records": MESSAGES, "objects": MESSAGES, "lost": 0, "storedTwice": 0, "stuck": 0, "orphaned": 0}
    assert summaries[-1].items() >= clean.items()
    lines = [line[line.index("{") :] for line in compose("logs", "--no-color", "consumer").splitlines() if "{" in line]
    captures = [json.loads(line) for line in lines if '"outcome":"captured"' in line and "_aws" not in line]
    assert len(captures) == MESSAGES
    assert len({line["workerId"] for line in captures}) == 3
    figures["composeMessages"] = len(captures)
    # And whoever asks the API for another waits for its image, and follows the link to it from outside the network
    body = {"url": "http://site:8000/article.html", "requestId": "by-api"}
    with post(f"http://127.0.0.1:{API_PORT}/v1/screenshots", body, Prefer="wait=25") as reply:
        assert (urlsplit(reply.url).netloc, reply.read()[:4]) == (f"localhost:{AWS_PORT}", b"\x89PNG")
