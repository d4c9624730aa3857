"""A task of ECS is protected for as long as it is busy; the agent is a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from stillframe_cli.task_protection import AGENT_VARIABLE, TaskProtection
from tests.support.serving import QuietHandler, serving
from tests.support.workers import wait_for


class Agent(QuietHandler):
    """Remembers what it was asked."""

    asked: list[tuple[str, dict[str, object]]]

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body))
        self.answer(200, b"{}")


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, object]]]]:
    Agent.asked = []
    with serving(Agent) as address:
        monkeypatch.setenv(AGENT_VARIABLE, f"http://{address}/api/1")
        yield Agent.asked


def test_it_follows_whether_the_worker_is_busy(agent: list[tuple[str, dict[str, object]]]) -> None:
    # Given a worker that is idle, then busy, then idle
    busy = False
    protection = TaskProtection(lambda: busy, check_seconds=0.02)
    assert agent == []
    busy = True
    wait_for(lambda: len(agent) == 1, what="the protection")
    busy = False
    wait_for(lambda: len(agent) == 2, what="its end")
    protection.close()
    # Then the agent was asked for the one and the other, by the documented path
    assert agent[:2] == [
        ("/api/1/task-protection/v1/state", {"ProtectionEnabled": True, "ExpiresInMinutes": 10}),
        ("/api/1/task-protection/v1/state", {"ProtectionEnabled": False}),
    ]


def test_outside_of_ecs_it_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(AGENT_VARIABLE, raising=False)
    TaskProtection(lambda: True).close()
