"""The commands that operate a deployment, as a user runs them, on the emulator."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillframe.image.extra import Extra, ExtraKind
from stillframe.request.capture_request import CaptureRequest
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, fake_shot, message
from tests.support.workers import ROOT, environment

Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def stillframe(cloud: Cloud) -> Run:
    def run(*arguments: str, status: int = 0) -> list[dict[str, Any]]:
        """The JSON lines that a command prints; it must end with the given status."""
        done = subprocess.run(
            [sys.executable, "-m", "stillframe_cli", *arguments, "--json"],
            cwd=ROOT,
            env=environment(cloud.exports),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def capture(
    cloud: Cloud, request: CaptureRequest, renderer: FakeRenderer | None = None, receive_count: int = 1
) -> None:
    clock = FakeClock(int(time.time() * 1000))
    worker = capture_with(cloud.clients, cloud.settings, renderer or FakeRenderer(), clock)
    worker.process(message(request, f"m-{request.id}", receive_count, clock.ms), FakeContext())


def test_send_records_and_queues_each_line_under_a_fresh_id(cloud: Cloud, stillframe: Run) -> None:
    # Given / When the same URL is sent twice
    sent = stillframe("send", "https://example.com/") + stillframe("send", "https://example.com/")
    # Then there are two screenshots, recorded as queued, and two messages
    ids = {line["id"] for line in sent}
    assert len(ids) == 2
    assert {cloud.record(each).status.value for each in ids} == {"queued"}
    assert {json.loads(each["Body"])["requestId"] for each in cloud.receive()} == ids


def test_send_once_and_with_a_request_id(cloud: Cloud, stillframe: Run) -> None:
    once = stillframe("send", "https://example.com/", "--once") + stillframe("send", "example.com/", "--once")
    assert len({line["id"] for line in once}) == 1
    named = stillframe("send", "https://example.com/", "--request-id", "order-42", "--options", '{"fullPage": true}')
    assert [line["id"] for line in named] == ["order-42"]
    assert cloud.record("order-42").options == {"fullPage": True}
    stillframe("send", "https://a.example/", "https://b.example/", "--request-id", "x", status=2)


def test_an_id_of_another_request_is_refused_at_once(cloud: Cloud, stillframe: Run) -> None:
    # Given a screenshot with an id
    stillframe("send", "https://a.example/", "--request-id", "order-42")
    # When the id is used for another page, or for other options, then nothing is sent and the record stays
    stillframe("send", "https://b.example/", "--request-id", "order-42", status=1)
    stillframe("send", "https://a.example/", "--request-id", "order-42", "--full-page", status=1)
    assert (len(cloud.receive()), cloud.record("order-42").url) == (1, "https://a.example/")
    # And the same request may be sent again
    stillframe("send", "https://a.example/", "--request-id", "order-42")
    assert len(cloud.receive()) == 1


def test_status_shows_a_record_and_exits_with_1_for_a_failure(cloud: Cloud, stillframe: Run) -> None:
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="good"))
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="bad", options={"delayMs": -1}))
    (good,) = stillframe("status", "good")
    assert (good["status"], good["width"], good["attempts"]) == ("success", 8, 1)
    (bad,) = stillframe("status", "bad", status=1)
    assert (bad["status"], bad["errorCode"]) == ("failed", "INVALID_REQUEST")
    assert stillframe("status", "nowhere", status=1) == []


def test_list_finds_records_by_status_and_time(cloud: Cloud, stillframe: Run) -> None:
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="good"))
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="bad", options={"delayMs": -1}))
    stillframe("send", "https://example.com/", "--request-id", "waiting")
    ids = {
        status: [line["id"] for line in stillframe("list", "--status", status)]
        for status in ("queued", "failed", "success")
    }
    assert ids == {"queued": ["waiting"], "failed": ["bad"], "success": ["good"]}
    assert {line["id"] for line in stillframe("list")} == {"good", "bad", "waiting"}
    assert {line["id"] for line in stillframe("list", "--since", "1h")} == {"good", "bad", "waiting"}
    assert stillframe("list", "--since", "2999-01-01") == []
    stillframe("list", "--since", "yesterday", status=2)


def test_get_downloads_the_image_and_checks_it(cloud: Cloud, stillframe: Run, tmp_path: Path) -> None:
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="good"))
    out = tmp_path / "good.png"
    (line,) = stillframe("get", "good", "--out", str(out))
    assert (out.read_bytes(), line["bytes"]) == (cloud.image("good"), out.stat().st_size)
    stillframe("get", "nowhere", "--out", str(out), status=1)
    # Given an object that no longer matches its record
    key = cloud.record("good").s3_key or ""
    cloud.clients.s3.put_object(Bucket=cloud.settings.bucket_name, Key=key, Body=b"other")
    stillframe("get", "good", "--out", str(tmp_path / "changed.png"), status=1)
    assert [path.name for path in tmp_path.iterdir()] == ["good.png"]


def test_get_downloads_an_extra_object(cloud: Cloud, stillframe: Run, tmp_path: Path) -> None:
    source = Extra.page(ExtraKind.HTML, b"<p>source")
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="rich"), FakeRenderer(extras=(source,)))
    out = tmp_path / "page.html"
    stillframe("get", "rich", "--extra", "html", "--out", str(out))
    assert out.read_bytes() == b"<p>source"
    stillframe("get", "rich", "--extra", "har", "--out", str(tmp_path / "no.har"), status=1)
    assert not (tmp_path / "no.har").exists()


def test_get_downloads_a_shot_and_checks_it(cloud: Cloud, stillframe: Run, tmp_path: Path) -> None:
    # Given a screenshot with a shot
    renderer = FakeRenderer(shots=(fake_shot("phone", b"narrow"),))
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="rich"), renderer)
    # When it is downloaded by its name
    out = tmp_path / "phone.png"
    stillframe("get", "rich", "--shot", "phone", "--out", str(out))
    # Then it is there, and another name or two objects at once are refused
    assert out.read_bytes() == b"narrow"
    stillframe("get", "rich", "--shot", "tablet", "--out", str(tmp_path / "no.png"), status=1)
    stillframe("get", "rich", "--shot", "phone", "--extra", "html", "--out", str(tmp_path / "no.png"), status=2)
    # And one that is not the one of the record
    (shot,) = cloud.record("rich").shots or []
    key = shot.s3_url.removeprefix(f"s3://{cloud.settings.bucket_name}/")
    cloud.clients.s3.put_object(Bucket=cloud.settings.bucket_name, Key=key, Body=b"other")
    stillframe("get", "rich", "--shot", "phone", "--out", str(tmp_path / "no.png"), status=1)
    assert [path.name for path in tmp_path.iterdir()] == ["phone.png"]


def test_diff_compares_two_screenshots_by_their_ids(cloud: Cloud, stillframe: Run, tmp_path: Path) -> None:
    # Given two captures of a page, and one after it has changed
    for screenshot_id, color in (("monday", "#00aa00"), ("tuesday", "#00aa00"), ("friday", "#0000ff")):
        capture(cloud, CaptureRequest(url="https://example.com/", request_id=screenshot_id), FakeRenderer(color=color))
    # When they are compared
    (same,) = stillframe("diff", "monday", "tuesday")
    (other,) = stillframe("diff", "tuesday", "friday", "--out", str(tmp_path / "marked.png"))
    # Then the output says whether the page changed, and by how much
    assert (same["changed"], other["changed"], other["difference"]) == (False, True, 1.0)
    assert (tmp_path / "marked.png").exists()
    stillframe("diff", "monday", "nowhere", status=1)


def test_diff_leaves_out_what_the_requests_ignore(cloud: Cloud, stillframe: Run) -> None:
    # Given two captures of a page, of which the second ignores an element that fills it
    for screenshot_id, color, boxes in (("monday", "#00aa00", None), ("friday", "#0000ff", [[0, 0, 8, 8]])):
        renderer = FakeRenderer(color=color, ignored_boxes=boxes)
        capture(cloud, CaptureRequest(url="https://example.com/", request_id=screenshot_id), renderer)
    # When they are compared, then nothing has changed
    (same,) = stillframe("diff", "monday", "friday")
    assert same["changed"] is False


def test_retry_sends_a_failed_screenshot_again(cloud: Cloud, stillframe: Run) -> None:
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="bad", options={"delayMs": -1}))
    stillframe("retry", "bad")
    assert cloud.record("bad").status.value == "queued"
    assert [json.loads(each["Body"])["requestId"] for each in cloud.receive()] == ["bad"]
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="good"))
    stillframe("retry", "good", status=1)


def test_retry_gives_a_record_without_a_message_a_new_one(cloud: Cloud, stillframe: Run) -> None:
    # Given a queued record whose message is gone
    cloud.send(CaptureRequest(url="https://example.com/", request_id="forgotten"))
    cloud.receive()
    # When it is retried
    (line,) = stillframe("retry", "forgotten")
    # Then there is a message for it
    assert [each["MessageId"] for each in cloud.receive()] == [line["messageId"]]


def test_redrive_returns_messages_that_may_succeed_and_keeps_the_rest(cloud: Cloud, stillframe: Run) -> None:
    # Given a dead letter that was received too often, and one that is invalid
    dead = cloud.settings.dead_letter_queue_url
    cloud.clients.sqs.send_message(QueueUrl=dead, MessageBody='{"url": "https://example.com/"}')
    clock = FakeClock()
    capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(message("no request"), FakeContext())
    # When the dead letters are redriven
    assert stillframe("redrive") == [{"moved": 1, "kept": 1, "refused": 0, "inFlight": 0}]
    # Then the first is back on the queue, and only the other is left
    assert [each["Body"] for each in cloud.receive()] == ['{"url": "https://example.com/"}']
    attributes = cloud.clients.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_redrive_lists_letters_and_counts_those_that_somebody_else_has(cloud: Cloud, stillframe: Run) -> None:
    # Given two dead letters
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), FakeClock())
    for number in range(2):
        worker.process(message(f"no request {number}"), FakeContext())
    # When they are listed, then each has its reason, and none was moved or is in flight
    for _ in range(2):
        listed = stillframe("redrive", "--list")
        assert [(line["errorCode"], line["redrivable"]) for line in listed] == [("UNPARSABLE_BODY", False)] * 2
    # When somebody else has received one of them, then a redrive says so
    cloud.receive(1, cloud.settings.dead_letter_queue_url)
    assert stillframe("redrive") == [{"moved": 0, "kept": 1, "refused": 0, "inFlight": 1}]


def test_cleanup_empties_the_chosen_resources(cloud: Cloud, stillframe: Run) -> None:
    capture(cloud, CaptureRequest(url="https://example.com/", request_id="good"))
    stillframe("send", "https://example.com/", "--request-id", "waiting")
    stillframe("cleanup", status=2)
    # Without --yes it asks, and no answer means no.
    stillframe("cleanup", "--all", status=1)
    assert cloud.find_record("good") is not None
    stillframe("cleanup", "--queue", "--yes")
    assert cloud.receive() == []
    assert stillframe("cleanup", "--table", "--bucket", "--yes") == [{"records": 2, "objectVersions": 1}]
    assert (cloud.find_record("good"), cloud.versions()) == (None, [])


@pytest.fixture
def dev(tmp_path: Path) -> list[str]:
    """The command line of `stillframe dev` with its state in a directory."""
    return [sys.executable, "-m", "stillframe_cli", "dev", "--port", "0", "--state", str(tmp_path / "state")]


def test_dev_prints_exports_for_the_other_commands_and_keeps_its_state(dev: list[str]) -> None:
    ids = []
    for _ in range(2):
        # Given a dev environment
        server = subprocess.Popen(
            dev, cwd=ROOT, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        try:
            lines = iter(server.stdout.readline, "")
            printed = itertools.takewhile(lambda line: line.startswith("export "), lines)
            exports = dict(line.removeprefix("export ").strip().split("=", 1) for line in printed)
            exports = {name: value.strip("'") for name, value in exports.items()}
            # When a request is sent with its exports
            ids.append(output_of("send", "https://example.com/", exports=exports).strip())
            # Then its record is listed
            listed = output_of("list", "--json", exports=exports)
            assert {json.loads(line)["id"] for line in listed.splitlines()} == set(ids)
        finally:
            # And Ctrl-C ends the server and keeps its state for the next time
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=20)
        assert server.returncode == 0
        assert "Traceback" not in errors
    assert len(ids) == 2


def output_of(*arguments: str, exports: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "stillframe_cli", *arguments],
        cwd=ROOT,
        env=environment(exports),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
