"""A deployment that would change the values of the last one shows them, and asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from stacks.config import DeployConfig
from stacks.recorded import record_of
from stillframe_cli.emulator import Emulator, running_emulator

ROOT = Path(__file__).resolve().parents[2]


def changes(account: Emulator, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.changes", *arguments],
        cwd=ROOT,
        env={**os.environ, **account.exports},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def account() -> Iterator[Emulator]:
    """An account without stacks, on an emulator with every service."""
    with running_emulator(services="") as emulator:
        emulator.use_in_this_process()
        yield emulator


@pytest.fixture
def deployed(account: Emulator) -> Emulator:
    """A stack that was deployed with two values of its own."""
    config = DeployConfig.from_context({"stillframe:memoryMb": 4096, "stillframe:alarmEmail": "you@example.com"})
    create_stack({"Metadata": record_of(config)})
    return account


def create_stack(template: dict[str, Any]) -> None:
    client: Any = boto3.client("cloudformation")
    client.create_stack(
        StackName="Stillframe",
        TemplateBody=json.dumps({**template, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
    )


def test_the_first_deployment_changes_nothing(account: Emulator) -> None:
    done = changes(account, "-c", "stillframe:memoryMb=4096")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_same_values_change_nothing(deployed: Emulator) -> None:
    done = changes(deployed, "-c", "stillframe:memoryMb=4096", "-c", "stillframe:alarmEmail=you@example.com")
    assert (done.returncode, done.stderr) == (0, "")


def test_forgotten_values_are_shown_and_nothing_is_deployed_without_an_answer(deployed: Emulator) -> None:
    # Given / When an upgrade whose command line lacks the values of the first one
    done = changes(deployed)
    # Then each is shown, and the status says that there was no answer
    assert done.returncode == 1
    assert "  memoryMb: 4096 becomes 1536\n" in done.stderr
    assert '  alarmEmail: "you@example.com" becomes null\n' in done.stderr
    assert done.stderr.count(" becomes ") == 2
    assert "YES=1" in done.stderr


def test_values_may_be_changed_on_purpose(deployed: Emulator) -> None:
    done = changes(deployed, "--yes", "--require-approval", "never")
    assert done.returncode == 0
    assert "memoryMb: 4096 becomes 1536" in done.stderr


def test_a_stack_of_an_older_version_is_not_taken_for_an_unchanged_one(account: Emulator) -> None:
    create_stack({})
    done = changes(account)
    assert done.returncode == 1
    assert "did not record its configuration" in done.stderr


def test_a_wrong_value_is_one_line(account: Emulator) -> None:
    done = changes(account, "-c", "stillframe:memroyMb=1")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
