"""The promises with real processes on the emulator: several consumers, kill -9, SIGSTOP, SIGTERM."""

from __future__ import annotations

import signal
import time
from collections import Counter

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from stillframe_cli.backlog import message_counts
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.pixels import GREEN, Pixels
from tests.support.proxy import Call, Verdict, proxying
from tests.support.workers import Fleet, wait_for

# A lease ends after 6 s and a message is visible again after 8 s, which a test can wait for.
QUICK = {"STILLFRAME_JOB_DEADLINE_SECONDS": "5", "STILLFRAME_LEASE_MARGIN_SECONDS": "1"}
VISIBILITY_SECONDS = 8

pytestmark = pytest.mark.usefixtures("chromium")


@pytest.fixture
def quick_cloud(make_cloud: MakeCloud, site: str) -> Cloud:
    return make_cloud(visibility=VISIBILITY_SECONDS, STILLFRAME_ALLOW_HOSTS=site, **QUICK)


def is_success(cloud: Cloud, screenshot_id: str) -> bool:
    record = cloud.find_record(screenshot_id)
    return record is not None and record.status is Status.SUCCESS


def is_processing(cloud: Cloud, screenshot_id: str) -> bool:
    record = cloud.find_record(screenshot_id)
    return record is not None and record.status is Status.PROCESSING


def test_three_consumers_capture_each_screenshot_once(make_cloud: MakeCloud, workers: Fleet, site: str) -> None:
    # Given 100 messages with different ids and 50 with one id
    cloud = make_cloud(visibility=60, STILLFRAME_ALLOW_HOSTS=site)
    small = {"viewport": {"width": 64, "height": 48}}
    url = f"http://{site}/colour?hex=00aa00"
    unique = [CaptureRequest(url=f"{url}&n={n}", request_id=f"unique-{n}", options=small) for n in range(100)]
    same = [CaptureRequest(url=url, request_id="same", options=small)] * 50
    mixed = [request for pair in zip(unique[:50], same, strict=True) for request in pair] + unique[50:]
    cloud.send(*mixed)
    # When three consumers drain the queue
    for _ in range(3):
        workers.start(cloud.exports, "--tabs", "2")
    assert [worker.process.wait(180) for worker in workers.workers] == [0, 0, 0]
    # Then there are 101 objects with one version each, and 49 duplicates were skipped for a valid reason
    assert len(cloud.versions()) == len(set(cloud.versions())) == 101
    outcomes = Counter(line["outcome"] for line in workers.captures())
    reasons = Counter(line["reason"] for line in workers.captures() if line["outcome"] == "skipped")
    assert outcomes == {"captured": 101, "skipped": 49}
    assert set(reasons) <= {"already_success", "already_processing", "race_condition_prevented"}
    assert {line["id"] for line in workers.captures() if line["outcome"] == "skipped"} == {"same"}
    # And no worker logged an error, each one captured something, and the audit is clean
    assert [worker.errors() for worker in workers.workers] == [[], [], []]
    assert all(worker.captures() for worker in workers.workers)
    audited = cloud.audit()
    assert (audited.summary.records, audited.is_clean, audited.findings) == (101, True, [])
    assert Pixels(cloud.image("same")).is_all(GREEN)


def test_the_message_of_a_killed_consumer_is_captured_once(quick_cloud: Cloud, workers: Fleet, site: str) -> None:
    # Given a consumer during a render
    cloud = quick_cloud
    cloud.send(CaptureRequest(url=f"http://{site}/slow?seconds=2", request_id="slow"))
    first = workers.start(cloud.exports, "--continuous")
    wait_for(lambda: is_processing(cloud, "slow"), what="the claim")
    # When it is killed, and another consumer polls the queue
    first.kill()
    second = workers.start(cloud.exports, "--continuous")
    wait_for(lambda: is_success(cloud, "slow"), what="the capture")
    # Then the other consumer takes the stale claim over with a warning, and there is one object
    warnings = [line for line in second.lines() if line["level"] == "WARNING"]
    assert [line["message"] for line in warnings] == ["processing appears stale, will retry"]
    assert (warnings[0]["staleWorkerId"], warnings[0]["workerId"]) == ("worker-1", "worker-2")
    assert cloud.record("slow").attempts == 2
    assert len(cloud.versions()) == 1
    assert second.stop() == 0
    assert second.errors() == []
    assert cloud.audit().findings == []


def test_the_object_of_a_consumer_killed_before_completion_is_adopted(
    quick_cloud: Cloud, workers: Fleet, site: str
) -> None:
    # Given a consumer that is killed as soon as its object is stored
    cloud = quick_cloud

    def kill_after_put(call: Call) -> Verdict:
        if call.method == "PUT" and call.status == 200:
            workers.workers[0].kill()
        return Verdict.PASS

    cloud.send(CaptureRequest(url=f"http://{site}/colour?hex=00aa00", request_id="stored"))
    with proxying(cloud.exports["AWS_ENDPOINT_URL"], after=kill_after_put) as endpoint:
        first = workers.start({**cloud.exports, "AWS_ENDPOINT_URL": endpoint}, "--continuous")
        assert first.process.wait(30) == -signal.SIGKILL
    before = cloud.versions()
    assert (len(before), is_processing(cloud, "stored")) == (1, True)
    # When another consumer receives the message
    second = workers.start(cloud.exports, "--continuous")
    wait_for(lambda: is_success(cloud, "stored"), what="the adoption")
    wait_for(second.captures, what="the canonical line")
    # Then it adopts the object, without a second version or even a second render
    (line,) = second.captures()
    assert (line["outcome"], line["adopted"], "renderMs" in line) == ("captured", True, False)
    assert cloud.versions() == before
    assert (cloud.record("stored").width, cloud.record("stored").http_status) == (1280, 200)
    assert second.stop() == 0
    assert cloud.audit().is_clean


def test_a_late_first_holder_changes_nothing(quick_cloud: Cloud, workers: Fleet, site: str) -> None:
    # Given a consumer that is frozen during a render, for longer than its lease and its message's visibility timeout
    cloud = quick_cloud
    cloud.send(CaptureRequest(url=f"http://{site}/slow?seconds=1.5", request_id="late"))
    first = workers.start(cloud.exports, "--continuous")
    wait_for(lambda: is_processing(cloud, "late"), what="the claim")
    first.process.send_signal(signal.SIGSTOP)
    second = workers.start(cloud.exports, "--continuous")
    wait_for(lambda: is_success(cloud, "late"), what="the second holder's capture")
    done = cloud.record("late")
    # When it is resumed
    first.process.send_signal(signal.SIGCONT)
    wait_for(first.captures, what="the first holder's end")
    # Then it reports that it lost, and record and object are the second holder's
    assert (first.captures()[0]["outcome"], first.captures()[0]["reason"]) in {
        ("retry", "CLAIM_LOST"),
        ("retry", "TIMEOUT"),
    }
    assert cloud.record("late") == done
    assert done.worker_id == "worker-2"
    assert len(cloud.versions()) == 1
    assert (first.stop(), second.stop()) == (0, 0)
    assert cloud.audit().is_clean


def test_sigterm_finishes_captures_in_progress(quick_cloud: Cloud, workers: Fleet, site: str) -> None:
    # Given a consumer during a render, and another message that it has not received
    cloud = quick_cloud
    cloud.send(CaptureRequest(url=f"http://{site}/slow?seconds=1.5", request_id="in-progress"))
    worker = workers.start(cloud.exports, "--continuous")
    wait_for(lambda: is_processing(cloud, "in-progress"), what="the claim")
    # When it gets SIGTERM
    worker.process.terminate()
    time.sleep(0.2)
    cloud.send(CaptureRequest(url=f"http://{site}/colour?hex=00aa00", request_id="not-received"))
    # Then it ends with status 0, the first message is captured and the second is left on the queue
    assert worker.process.wait(20) == 0
    assert is_success(cloud, "in-progress")
    assert [each["Body"] for each in cloud.receive()] != []
    assert cloud.record("not-received").status is Status.QUEUED
    assert worker.errors() == []


def in_flight(cloud: Cloud) -> int:
    return message_counts(cloud.clients, cloud.settings.queue_url)[1]


def test_sigterm_returns_messages_that_have_not_begun(quick_cloud: Cloud, workers: Fleet, site: str) -> None:
    # Given a consumer with one tab that has received a message it has not begun
    cloud = quick_cloud
    for number in range(2):
        cloud.send(CaptureRequest(url=f"http://{site}/slow?seconds=1.5&n={number}", request_id=f"slow-{number}"))
    worker = workers.start(cloud.exports, "--continuous", "--tabs", "1")
    wait_for(lambda: in_flight(cloud) == 2, what="both received")
    wait_for(lambda: any(is_processing(cloud, f"slow-{number}") for number in range(2)), what="the claim")
    # When it gets SIGTERM
    worker.process.terminate()
    # Then it finishes the first, and other consumers can receive the second at once
    assert worker.process.wait(20) == 0
    assert sorted(cloud.record(f"slow-{number}").status for number in range(2)) == [Status.QUEUED, Status.SUCCESS]
    assert in_flight(cloud) == 0
    assert len(cloud.receive()) == 1
    assert worker.errors() == []


def test_sigterm_returns_captures_that_outlast_the_grace_period(quick_cloud: Cloud, workers: Fleet, site: str) -> None:
    # Given a consumer that is rendering a very slow page
    cloud = quick_cloud
    cloud.send(CaptureRequest(url=f"http://{site}/slow?seconds=30", request_id="endless"))
    worker = workers.start(cloud.exports, "--continuous", "--grace", "1")
    wait_for(lambda: is_processing(cloud, "endless"), what="the claim")
    # When it gets SIGTERM
    started = time.monotonic()
    worker.process.terminate()
    # Then it ends soon after its grace period, the claim is released and the message is visible again
    assert worker.process.wait(20) == 0
    assert time.monotonic() - started < 1 + 6
    assert cloud.record("endless").status is Status.QUEUED
    assert in_flight(cloud) == 0
    assert len(cloud.receive()) == 1
    assert worker.errors() == []


def test_a_missing_queue_is_a_one_line_error(cloud: Cloud, workers: Fleet) -> None:
    # Given a consumer with the URL of a queue that does not exist
    worker = workers.start({**cloud.exports, "QUEUE_URL": cloud.exports["QUEUE_URL"] + "-nowhere"}, "--continuous")
    # Then it fails with a one-line error
    assert worker.process.wait(30) == 1
    (problem,) = worker.errors()
    assert problem["stderr"].startswith("stillframe: AWS:")
    assert problem["stderr"].count("\n") == 1
