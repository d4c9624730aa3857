"""Real workers that cannot work: no browser, a denied call, silence, a queue that is gone or cannot work."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from stillframe_cli.backlog import message_counts
from stillframe_cli.heartbeat import problem_of
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.proxy import Call, Interference, Verdict, proxying
from tests.support.workers import Fleet, Worker, wait_for

QUICK = {"STILLFRAME_BACKOFF_BASE_SECONDS": "1", "STILLFRAME_BACKOFF_CAP_SECONDS": "2"}
WORDS = "error while loading shared libraries: libnss3.so"

pytestmark = pytest.mark.usefixtures("chromium")


@pytest.fixture
def broken_browser(tmp_path: Path) -> str:
    """An executable that ends at once, like a browser that lacks a library."""
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho '{WORDS}' >&2\nexit 127\n")
    browser.chmod(0o755)
    return str(browser)


def requests(site: str, count: int) -> list[CaptureRequest]:
    small = {"viewport": {"width": 64, "height": 48}}
    url = f"http://{site}/colour?hex=00aa00"
    return [CaptureRequest(url=f"{url}&n={n}", request_id=f"page-{n}", options=small) for n in range(count)]


def statuses(cloud: Cloud, count: int) -> set[Status | None]:
    records = [cloud.find_record(f"page-{n}") for n in range(count)]
    return {record.status if record else None for record in records}


def pauses(worker: Worker) -> list[str]:
    """The reasons for which the worker has paused."""
    return [line["reason"] for line in worker.lines() if line["message"].startswith("the worker is unhealthy")]


def is_drained(cloud: Cloud) -> bool:
    return not any(message_counts(cloud.clients, cloud.settings.queue_url))


def test_a_worker_whose_browser_does_not_start_receives_nothing(
    make_cloud: MakeCloud, workers: Fleet, site: str, broken_browser: str
) -> None:
    # Given a queue that gives each message one receive, and one sick worker
    cloud = make_cloud(visibility=30, max_receive_count=1, STILLFRAME_ALLOW_HOSTS=site, **QUICK)
    cloud.send(*requests(site, 20))
    sick = workers.start({**cloud.exports, "STILLFRAME_CHROMIUM": broken_browser}, "--continuous", "--tabs", "4")
    # Then it ends before it has received anything, and says what its browser said
    assert sick.process.wait(30) == 1
    assert sick.captures() == []
    assert WORDS in pauses(sick)[0]
    assert message_counts(cloud.clients, cloud.settings.queue_url) == (20, 0, 0)
    # And a sound worker captures everything
    assert workers.start(cloud.exports).process.wait(60) == 0
    assert statuses(cloud, 20) == {Status.SUCCESS}
    assert cloud.dead_letters() == []


def test_a_worker_whose_browser_dies_in_every_capture_stops_receiving(
    make_cloud: MakeCloud, workers: Fleet, site: str, chromium: str, tmp_path: Path
) -> None:
    # Given a browser that starts, and is killed two seconds later
    dying = tmp_path / "dying"
    dying.write_text(f'#!/bin/sh\n(sleep 2; kill -9 $$) >/dev/null 2>&1 &\nexec {chromium} "$@"\n')
    dying.chmod(0o755)
    cloud = make_cloud(visibility=60, max_receive_count=20, STILLFRAME_ALLOW_HOSTS=site, **QUICK)
    small = {"viewport": {"width": 64, "height": 48}, "delayMs": 2500}
    url = f"http://{site}/colour?hex=00aa00"
    cloud.send(*(CaptureRequest(url=f"{url}&n={n}", request_id=f"page-{n}", options=small) for n in range(4)))
    # When its captures have crashed three times in a row
    sick = workers.start({**cloud.exports, "STILLFRAME_CHROMIUM": str(dying)}, "--continuous", "--tabs", "1")
    # Then it finds out that a page of its own is not captured either, and pauses
    wait_for(lambda: len(pauses(sick)) >= 2, 90, "pauses")


def test_the_health_check_of_a_container_knows_a_worker_that_cannot_work(
    make_cloud: MakeCloud, workers: Fleet, site: str, tmp_path: Path
) -> None:
    # Given a worker of which the bucket is missing, and then one that lacks nothing
    cloud, beat = make_cloud(STILLFRAME_ALLOW_HOSTS=site, **QUICK), tmp_path / "beat"
    variables = {**cloud.exports, "STILLFRAME_HEARTBEAT": str(beat)}
    sick = workers.start({**variables, "BUCKET_NAME": "bucket-of-nobody"}, "--continuous")
    # Then the health check has the reason
    wait_for(lambda: "NoSuchBucket" in (problem_of(beat, time.time()) or ""), what="the reason")
    sick.process.kill()
    sick.process.wait()
    # And of the other one there is nothing to say
    workers.start(variables, "--continuous")
    wait_for(lambda: beat.read_text() == "", what="health")


def refusing(pattern: Callable[[Call], bool], verdict: Verdict, is_on: list[bool]) -> Interference:
    return lambda call: verdict if is_on[0] and pattern(call) else Verdict.PASS


@pytest.mark.parametrize(
    ("is_refused", "max_deliveries"),
    [
        # As many as it may hold, and one for each of the first two faults in a row.
        (lambda call: call.method == "PUT", 6),
        (lambda call: call.operation == "UpdateItem", 6),
        # Each capture succeeds: only three batches that could not be deleted in a row stop the worker.
        (lambda call: call.operation.startswith("DeleteMessage"), 24),
    ],
    ids=["put", "update", "delete"],
)
def test_while_a_call_is_denied_the_worker_receives_nothing_and_then_captures_everything(
    make_cloud: MakeCloud, workers: Fleet, site: str, is_refused: Callable[[Call], bool], max_deliveries: int
) -> None:
    # Given messages with two receives each, and a worker that has captured one of them
    cloud = make_cloud(visibility=20, max_receive_count=2, STILLFRAME_ALLOW_HOSTS=site, **QUICK)
    is_denied = [False]
    first, *others = requests(site, 30)
    with proxying(cloud.exports["AWS_ENDPOINT_URL"], refusing(is_refused, Verdict.DENIED, is_denied)) as endpoint:
        cloud.send(first)
        worker = workers.start({**cloud.exports, "AWS_ENDPOINT_URL": endpoint}, "--continuous", "--tabs", "2")
        wait_for(lambda: is_drained(cloud), what="the first capture")
        # When one call is denied for a while, longer than all receives would last
        is_denied[0] = True
        cloud.send(*others)
        wait_for(lambda: len(pauses(worker)) >= 3, what="three pauses")
        received = len(worker.captures())
        time.sleep(3)
        # Then it has stopped receiving, after a few deliveries
        assert len(worker.captures()) == received <= 1 + max_deliveries
        assert "AccessDenied" in pauses(worker)[-1]
        # And when the call is allowed again, everything is captured, and nothing is a dead letter
        is_denied[0] = False
        wait_for(lambda: is_drained(cloud), 60, what="the captures")
        assert statuses(cloud, 30) == {Status.SUCCESS}
        assert cloud.dead_letters() == []
        assert worker.stop() == 0


def test_silence_is_told_and_a_stop_ends_it(make_cloud: MakeCloud, workers: Fleet, site: str) -> None:
    # Given a worker during a capture, and an AWS that no longer answers
    cloud = make_cloud(visibility=60, STILLFRAME_ALLOW_HOSTS=site)
    is_silent = [False]
    with proxying(cloud.exports["AWS_ENDPOINT_URL"], refusing(lambda _: True, Verdict.HELD, is_silent)) as endpoint:
        worker = workers.start({**cloud.exports, "AWS_ENDPOINT_URL": endpoint}, "--continuous", "--grace", "2")
        wait_for(lambda: any(line["message"] == "consuming" for line in worker.lines()), what="the start")
        cloud.send(CaptureRequest(url=f"http://{site}/slow?seconds=3", request_id="slow"))
        wait_for(lambda: cloud.find_record("slow") is not None and cloud.record("slow").status is Status.PROCESSING)
        is_silent[0] = True
        # When it goes on
        # Then it says so within 35 s
        wait_for(lambda: pauses(worker), 35, what="the first line")
        assert "AWS did not answer" in pauses(worker)[0]
        # And it ends within 15 s after the grace period, although it cannot put its image
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(2 + 15) in (0, 1)


def test_a_consumer_whose_queue_goes_ends_with_awss_own_words(make_cloud: MakeCloud, workers: Fleet, site: str) -> None:
    # Given a consumer that ends when the queue is empty, during a capture, and one that goes on
    cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=site)
    cloud.send(*(CaptureRequest(url=f"http://{site}/slow?seconds=3&n={n}", request_id=f"page-{n}") for n in range(2)))
    draining = workers.start(cloud.exports, "--tabs", "1")
    wait_for(lambda: Status.PROCESSING in statuses(cloud, 2), what="the capture")
    going_on = workers.start(cloud.exports, "--continuous")
    wait_for(lambda: any(line["message"] == "consuming" for line in going_on.lines()), what="the start")
    # When the queue is deleted
    cloud.clients.sqs.delete_queue(QueueUrl=cloud.settings.queue_url)
    # Then the first ends with status 1 and says so, and does not say that AWS was silent
    assert draining.process.wait(30) == 1
    assert "NonExistentQueue" in str(draining.errors())
    assert "did not answer" not in str(draining.errors())
    # And the second asks more and more rarely
    time.sleep(15)
    assert 3 <= len(pauses(going_on)) <= 5
    assert "NonExistentQueue" in pauses(going_on)[-1]
    assert going_on.stop() == 0


def test_a_queue_on_which_no_capture_can_end_is_refused_at_the_start(make_cloud: MakeCloud, workers: Fleet) -> None:
    # Given a visibility timeout of 5 s and a message
    cloud = make_cloud(visibility=5)
    cloud.send(CaptureRequest(url="https://example.com/", request_id="page"))
    # When a worker starts, then it refuses, names the value that it should be, and has received nothing
    worker = workers.start(cloud.exports)
    assert worker.process.wait(30) == 2
    assert "visibility timeout is 5 s: no capture can end in it, set it to 55 s or more" in str(worker.errors())
    assert message_counts(cloud.clients, cloud.settings.queue_url) == (1, 0, 0)


def test_the_queue_decides_how_often_a_message_is_received(make_cloud: MakeCloud, workers: Fleet, site: str) -> None:
    # Given a queue with two receives, and a worker that was told of five
    cloud = make_cloud(visibility=10, max_receive_count=2, STILLFRAME_ALLOW_HOSTS=site, **QUICK)
    cloud.send(CaptureRequest(url=f"http://{site}/drop", request_id="page-0"))
    worker = workers.start({**cloud.exports, "STILLFRAME_MAX_RECEIVE_COUNT": "5"}, "--continuous")
    # When the message fails as often as the queue allows, then its record says so
    wait_for(lambda: statuses(cloud, 1) == {Status.FAILED}, what="the failure")
    # The line of a delivery is written after its record.
    wait_for(lambda: len(worker.captures()) >= 2, what="the second line")
    assert [line["outcome"] for line in worker.captures()] == ["retry", "failed"]
    # And the difference was told
    assert [line["configured"] for line in worker.lines() if "the queue's value is used" in line["message"]] == [5]
