"""Every command of the runbook works as it is written there, on a deployment with a function and a fleet."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.attributes import item_key
from tests.support.deployment import STACK, Deployment, deployment
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message
from tests.support.workers import ROOT, STILLFRAME, environment

RUNBOOK = (ROOT / "docs/runbook.md").read_text()
# What the reader puts in place of a word.
VALUES = {"N": "100", "ID": "good"}
VALUES_OF_RETRY = {"ID": "bad"}


def commands() -> list[str]:
    """The commands in the order of the page, each once."""
    quoted = re.findall(r"`(stillframe [^`]+)`", RUNBOOK)
    blocks = re.findall(r"^    (stillframe [^#\n]+)", RUNBOOK, re.MULTILINE)
    return list(dict.fromkeys(" ".join(each.split()) for each in (*blocks, *quoted)))


@pytest.fixture(scope="module")
def deployed(moto_endpoint: str, site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployment(tmp_path_factory.mktemp("runbook"), site, moto_endpoint) as given:
        worker = capture_with(
            given.cloud.clients, given.cloud.settings, FakeRenderer(), FakeClock(int(time.time() * 1000))
        )
        for screenshot_id, options in (("good", {}), ("bad", {"delayMs": -1})):
            request = CaptureRequest(url="https://example.com/", request_id=screenshot_id, options=options)
            worker.process(message(request, f"m-{screenshot_id}", 1, int(time.time() * 1000)), FakeContext())
        # A worker of the test takes no CPU time, which `plan` needs.
        given.cloud.clients.dynamodb.update_item(
            TableName=given.cloud.settings.table_name,
            Key=item_key("good"),
            UpdateExpression="SET cpuMs = :cpu, durationMs = :duration",
            ExpressionAttributeValues={":cpu": {"N": "300"}, ":duration": {"N": "900"}},
        )
        yield given


def test_the_runbook_begins_with_the_name_of_the_deployment() -> None:
    first = RUNBOOK.index("    stillframe ")
    assert f"    export STILLFRAME_STACK={STACK} " in RUNBOOK[:first]
    assert len(commands()) > 15


@pytest.mark.parametrize("command", commands())
def test_a_command_works_as_it_is_written(deployed: Deployment, command: str, tmp_path: Path) -> None:
    # Given a shell with what the page exports, and credentials
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    exports = {name: deployed.cloud.exports[name] for name in names if name in deployed.cloud.exports}
    values = VALUES_OF_RETRY if command.startswith("stillframe retry") else VALUES
    words = [values.get(word, word) for word in command.split()[1:]]
    if words[0] == "monitor":
        # The live screen needs a terminal.
        words.append("--once")
    if "--max-tasks" in words or "--tasks" in words:
        pytest.skip("the emulator with this stack has no fleet; tests/integration/test_scale_fleet.py has")
    # When the command is typed, and its question is answered with yes
    done = subprocess.run(
        [*STILLFRAME, *words],
        cwd=tmp_path,
        env=environment({**exports, "STILLFRAME_STACK": STACK}),
        input="y\n",
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    # Then it does what the page says
    assert "Traceback" not in done.stderr, done.stderr
    # A doctor may find something.
    assert done.returncode in ((0, 1) if words[0] == "doctor" else (0,)), done.stderr + done.stdout
