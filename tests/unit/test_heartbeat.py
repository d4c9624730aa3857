"""The sign of life of a consumer, and what the health check of its container makes of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stillframe_cli.heartbeat import BEAT_SECONDS, MAX_AGE_SECONDS, VARIABLE, Heartbeat, problem_of
from tests.support.workers import ROOT


def test_a_consumer_that_works_is_healthy(tmp_path: Path) -> None:
    Heartbeat(tmp_path / "beat").beat()
    assert problem_of(tmp_path / "beat", time.time()) is None


def test_a_container_without_a_consumer_is_healthy(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "beat", time.time()) is None


def test_a_consumer_that_cannot_work_is_unhealthy_at_once_and_healthy_when_it_can(tmp_path: Path) -> None:
    # Given a consumer that has just shown that all is well
    heart = Heartbeat(tmp_path / "beat", lambda: 0.0)
    heart.beat()
    # When it cannot work, then the health check has the reason
    heart.beat("put object: AccessDenied")
    assert problem_of(tmp_path / "beat", time.time()) == "put object: AccessDenied"
    # And when it can again, then it is healthy
    heart.beat()
    assert problem_of(tmp_path / "beat", time.time()) is None


def test_a_consumer_that_hangs_is_unhealthy(tmp_path: Path) -> None:
    path = tmp_path / "beat"
    Heartbeat(path).beat()
    assert problem_of(path, time.time() + MAX_AGE_SECONDS - 10) is None
    assert "no sign of life" in (problem_of(path, time.time() + MAX_AGE_SECONDS + 10) or "")


def test_the_file_is_written_no_more_often_than_needed(tmp_path: Path) -> None:
    # Given a consumer that turns many times a second
    path, now = tmp_path / "beat", 0.0
    heart = Heartbeat(path, lambda: now)
    heart.beat()
    os.utime(path, (1, 1))
    # When it beats again at once, then nothing is written; later it is
    heart.beat()
    assert path.stat().st_mtime == 1
    now = BEAT_SECONDS
    heart.beat()
    assert path.stat().st_mtime > 1


def test_a_file_that_can_never_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "beat"):
        with pytest.raises(OSError, match=path.name):
            Heartbeat(path).begin()


def test_a_disk_that_cannot_be_written_does_not_stop_the_consumer(tmp_path: Path) -> None:
    Heartbeat(tmp_path / "no" / "such" / "directory").beat("reason")


@pytest.mark.parametrize(("reason", "status"), [("", 0), ("no browser", 1)])
def test_the_exit_status_is_what_docker_and_ecs_expect(tmp_path: Path, reason: str, status: int) -> None:
    Heartbeat(tmp_path / "beat").beat(reason)
    done = subprocess.run(
        [sys.executable, "-m", "stillframe_cli.heartbeat"],
        cwd=ROOT,
        env={**os.environ, VARIABLE: str(tmp_path / "beat")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (status, f"{reason or 'healthy'}\n")
