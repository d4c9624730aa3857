"""`stillframe doctor` names what is missing on this machine and in a deployment."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stillframe_cli.doctor import machine
from stillframe_cli.doctor.deployment import examine_clock
from stillframe_cli.doctor.machine import examine_memory, examine_temporary_directory
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.workers import ROOT, environment

Verdicts = dict[str, tuple[str, str]]
Doctor = Callable[..., Verdicts]


@pytest.fixture
def doctor(chromium: str) -> Doctor:
    def run(status: int, *arguments: str, **variables: str) -> Verdicts:
        """The verdict and the whole line of each subject, the last one that is not ok; checks the exit status."""
        done = subprocess.run(
            [sys.executable, "-m", "stillframe_cli", "doctor", "--json", *arguments],
            cwd=ROOT,
            env=environment({"STILLFRAME_CHROMIUM": chromium, **variables}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, (done.stdout, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        lines.sort(key=lambda line: line["verdict"] != "ok")
        return {line["subject"]: (line["verdict"], json.dumps(line, ensure_ascii=False)) for line in lines}

    return run


def test_without_a_deployment_only_the_machine_is_examined(doctor: Doctor) -> None:
    found = doctor(0)
    assert found["browser"][0] in ("ok", "warning")
    assert found["temporary directory"][0] == "ok"
    assert found["deployment"][0] == "skipped"


def test_a_deployment_that_works(make_cloud: MakeCloud, doctor: Doctor) -> None:
    # Given a deployment whose queue gives a job enough time
    cloud = make_cloud(visibility=360)
    # When it is examined
    found = doctor(0, **cloud.exports)
    # Then nothing is missing, and neither a message nor an object or a record has come of it
    for subject in ("queue", "clock", "messages", "table", "bucket", "dead-letter queue"):
        assert found[subject][0] == "ok", found[subject]
    assert cloud.receive() == []
    assert cloud.clients.s3.list_objects_v2(Bucket=cloud.settings.bucket_name)["KeyCount"] == 0
    assert cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name)["Count"] == 0


@pytest.mark.parametrize(
    ("variable", "subject"),
    [("QUEUE_URL", "queue"), ("TABLE_NAME", "table"), ("BUCKET_NAME", "bucket")],
)
def test_what_does_not_exist_is_named(cloud: Cloud, doctor: Doctor, variable: str, subject: str) -> None:
    found = doctor(1, **{**cloud.exports, variable: f"{cloud.exports[variable]}-of-nobody"})
    assert found[subject][0] == "failed"
    # Then one fault is told once
    assert [name for name, (verdict, _) in found.items() if verdict == "failed"] == [subject]


@pytest.mark.parametrize("variable", ["QUEUE_URL", "DEAD_LETTER_QUEUE_URL"])
def test_a_queue_that_does_not_exist_may_be_in_another_region(cloud: Cloud, doctor: Doctor, variable: str) -> None:
    found = doctor(1, **{**cloud.exports, variable: f"{cloud.exports[variable]}-of-nobody"})
    subject = "queue" if variable == "QUEUE_URL" else "dead-letter queue"
    assert f"correct {variable}, or AWS_REGION" in found[subject][1]


def test_a_queue_on_which_no_capture_can_end(make_cloud: MakeCloud, doctor: Doctor) -> None:
    # Given a queue whose messages are visible again after 8 s
    cloud = make_cloud(visibility=8)
    # When it is examined, then the remedy has the value that it should be
    verdict, line = doctor(1, **cloud.exports)["queue"]
    assert verdict == "failed"
    assert "set it to 55 s or more" in json.loads(line)["remedy"]


def test_a_queue_that_differs_from_what_the_worker_was_told(cloud: Cloud, doctor: Doctor) -> None:
    verdict, line = doctor(0, **{**cloud.exports, "STILLFRAME_MAX_RECEIVE_COUNT": "17"})["queue"]
    assert (verdict, "configured 17" in line) == ("warning", True)


def test_a_part_of_a_deployment(doctor: Doctor) -> None:
    verdict, line = doctor(1, QUEUE_URL="http://127.0.0.1:1/0/queue")["deployment"]
    assert (verdict, "TABLE_NAME, BUCKET_NAME" in line) == ("failed", True)


def test_a_browser_that_cannot_start_is_quoted(doctor: Doctor, tmp_path: Path) -> None:
    # Given a browser that lacks a library
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho 'libnss3.so: cannot open shared object file' >&2\nexit 127\n")
    broken.chmod(0o755)
    # When the machine is examined, then the browser's own words are there, and the rest was examined
    found = doctor(1, STILLFRAME_CHROMIUM=str(broken))
    assert found["browser"][0] == "failed"
    assert "libnss3.so: cannot open shared object file" in found["browser"][1]
    assert found["memory"][0] == "ok"


def test_a_browser_that_is_not_there(doctor: Doctor, tmp_path: Path) -> None:
    verdict, line = doctor(1, STILLFRAME_CHROMIUM=str(tmp_path / "nothing"))["browser"]
    assert (verdict, "is not an executable file" in line) == ("failed", True)


def test_a_temporary_directory_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Given a temporary directory that has been removed since Python chose it
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    # When it is examined, then it is named
    found = examine_temporary_directory()
    assert (found.verdict, str(tmp_path) in found.detail) == ("failed", True)


def test_a_script_without_a_font_is_named(chromium: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a character for private use, which no font has
    monkeypatch.setattr(machine, "SCRIPTS", {"Latin": "A", "private": "\uf8fe", "digits": "7"})
    # When the machine is examined, then it is named, and the others are not
    (fonts,) = [each for each in machine.examine_machine(chromium) if each.subject == "fonts"]
    assert (fonts.verdict, fonts.detail) == ("warning", "boxes are drawn in place of private")


def test_a_stack_that_cannot_be_looked_up(doctor: Doctor) -> None:
    # Given a profile that does not exist, When a stack is examined, Then the machine is examined all the same
    found = doctor(1, "--stack", "Stillframe", AWS_PROFILE="nobody", AWS_DEFAULT_REGION="eu-west-1")
    assert found["memory"][0] == "ok"
    assert found["deployment"][0] == "failed"


def test_without_credentials_aws_is_not_asked(doctor: Doctor, cloud: Cloud, tmp_path: Path) -> None:
    # Given a deployment, and neither keys nor a profile nor a role
    exports = {name: value for name, value in cloud.exports.items() if "AWS" not in name}
    nobody = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    # When it is examined, then that is what is missing
    found = doctor(1, **exports, **nobody)
    assert found["credentials"][0] == "failed"
    assert "queue" not in found


@pytest.mark.parametrize(
    ("skew", "verdict"), [(0.4, "ok"), (-1.9, "ok"), (3, "failed"), (-30, "failed"), (4000, "failed")]
)
def test_a_clock_that_is_off(skew: float, verdict: str) -> None:
    assert examine_clock(skew, margin_seconds=2).verdict == verdict


@pytest.mark.parametrize(
    ("total", "browser", "verdict", "remedy"),
    [
        (512, 4096, "failed", "1024 MB or more"),
        (2048, 4096, "warning", "STILLFRAME_MAX_BROWSER_MB=1536"),
        (8192, 4096, "ok", None),
    ],
)
def test_memory(total: int, browser: int, verdict: str, remedy: str | None) -> None:
    found = examine_memory(total, browser)
    assert found.verdict == verdict
    assert found.remedy is None if remedy is None else remedy in (found.remedy or "")


def test_closed_standard_streams_do_not_end_a_command(chromium: str) -> None:
    # Given / When a command is started as some daemons do it, without standard output and input
    command = f"exec {sys.executable} -m stillframe_cli doctor >&- <&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=ROOT,
        env=environment({"STILLFRAME_CHROMIUM": chromium}),
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    # Then it does its work
    assert (done.returncode, "doctor: " in done.stderr) == (0, True), done.stderr
