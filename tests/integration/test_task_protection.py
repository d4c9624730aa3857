"""An ECS task is protected while it is busy; the agent is a real HTTP server."""

from __future__ import annotations

import http.server
import json
import threading
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


def test_under_constant_load_the_task_finishes_what_it_has_and_is_unprotected_for_a_moment(
    agent: list[tuple[str, dict[str, object]]],
) -> None:
    # Given a worker that is always busy, and may be protected for 0.2 s without a break
    busy = True
    protection = TaskProtection(lambda: busy, max_seconds=0.2, check_seconds=0.02, break_seconds=0.3)
    wait_for(lambda: len(agent) == 1, what="the protection")
    assert protection.may_receive()
    # When this time is over, then it receives nothing more, but stays protected while it captures
    wait_for(lambda: not protection.may_receive(), what="the break")
    assert len(agent) == 1
    # When its captures have ended, then it is unprotected, and receives again after a moment
    busy = False
    wait_for(lambda: len(agent) == 2, what="the end of the protection")
    assert agent[1][1] == {"ProtectionEnabled": False}
    assert not protection.may_receive()
    wait_for(protection.may_receive, what="the end of the break")
    # And under load it is protected anew
    busy = True
    wait_for(lambda: len(agent) == 3, what="the protection")
    assert agent[2][1]["ProtectionEnabled"] is True
    protection.close()


def test_an_agent_that_does_not_answer_does_not_stop_the_worker_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an agent that can be reached once
    class Once(Agent):
        def do_PUT(self) -> None:
            super().do_PUT()
            server.shutdown()

    Agent.requests = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Once)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv(AGENT_VARIABLE, f"http://127.0.0.1:{server.server_port}")
    busy = True
    protection = TaskProtection(lambda: busy, max_seconds=0.2, check_seconds=0.02, break_seconds=0.1)
    wait_for(lambda: not protection.may_receive(), what="the break")
    thread.join()
    server.server_close()
    # When the captures have ended, and the protection cannot be given up
    busy = False
    # Then the worker receives again nevertheless
    wait_for(protection.may_receive, what="the end of the break")
    protection.close()
