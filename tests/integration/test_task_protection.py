"""An ECS task is protected while it is busy; the agent is a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from stillframe_cli.task_protection import AGENT_VARIABLE, TaskProtection
from tests.support.serving import QuietHandler, serving
from tests.support.workers import wait_for


class Agent(QuietHandler):
    """Records the requests that it receives."""

    requests: list[tuple[str, dict[str, object]]]

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append((self.path, body))
        self.answer(200, b"{}")


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, object]]]]:
    Agent.requests = []
    with serving(Agent) as address:
        monkeypatch.setenv(AGENT_VARIABLE, f"http://{address}/api/1")
        yield Agent.requests


def test_protection_follows_whether_the_worker_is_busy(agent: list[tuple[str, dict[str, object]]]) -> None:
    # Given a worker that is idle, then busy, then idle
    busy = False
    protection = TaskProtection(lambda: busy, max_seconds=900, check_seconds=0.02)
    assert agent == []
    busy = True
    wait_for(lambda: len(agent) == 1, what="the protection")
    busy = False
    wait_for(lambda: len(agent) == 2, what="its end")
    protection.close()
    # Then the agent was asked to protect the task and to end the protection, at the documented path
    assert agent[:2] == [
        ("/api/1/task-protection/v1/state", {"ProtectionEnabled": True, "ExpiresInMinutes": 10}),
        ("/api/1/task-protection/v1/state", {"ProtectionEnabled": False}),
    ]


def test_protection_does_nothing_outside_ecs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(AGENT_VARIABLE, raising=False)
    TaskProtection(lambda: True, max_seconds=900).close()
