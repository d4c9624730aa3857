"""Events of captures, from the stream of a real table, on EventBridge."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import jsonschema_rs
import pytest

from stillframe.clients import connect_event_bus
from stillframe.errors import UnknownHost
from stillframe.request.capture_request import CaptureRequest
from stillframe.table import transitions
from stillframe_cli.emulator import EVENT_SERVICES, Emulator, running_emulator
from stillframe_cli.provision import QueuePolicy, provision
from stillframe_cli.stream_reader import NoStream, StreamReader, connect_streams
from stillframe_notifier.wiring import wire_notifier
from tests.support.cloud import Cloud
from tests.support.event_rules import EventRule
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message
from tests.support.workers import ROOT, SOURCE_PATH, environment

SCHEMA = json.loads((ROOT / "docs/event-v1.schema.json").read_text())
OURS = {"source": ["stillframe"]}


@pytest.fixture(scope="module")
def event_emulator() -> Iterator[Emulator]:
    with running_emulator(services=EVENT_SERVICES) as running:
        yield running


@pytest.fixture
def cloud(event_emulator: Emulator) -> Cloud:
    """An account whose table has a stream."""
    cloud = Cloud.create(event_emulator, QueuePolicy())
    provision(cloud.clients, QueuePolicy(), cloud.settings.table_name, has_stream=True)
    return cloud


@pytest.fixture
def rule(cloud: Cloud) -> EventRule:
    aws: Any = boto3
    return EventRule(aws.client, OURS)


class Killed(BaseException):
    """The notifier's process ends. No `except` of the code under test may see this."""


class FaultyBus:
    """EventBridge, of which some calls fail: `plan` says how each ends, by its number."""

    def __init__(self, plan: Callable[[int], str]) -> None:
        self._client = connect_event_bus()
        self._plan = plan
        self.calls = 0

    def put_events(self, *, Entries: Any) -> Any:
        self.calls += 1
        how = self._plan(self.calls)
        if how == "refuse a third":
            # EventBridge itself refuses an entry whose source is one of AWS's own services.
            Entries = [
                {**entry, "Source": "aws.s3" if number % 3 == 1 else entry["Source"]}
                for number, entry in enumerate(Entries)
            ]
        answer = self._client.put_events(Entries=Entries)
        if how == "kill":
            raise Killed
        if how == "lose the answer":
            raise OSError("the answer is lost")
        return answer


def reader(cloud: Cloud, bus: Any = None) -> StreamReader:
    """A notifier that has just started."""
    notifier = wire_notifier(cloud.settings, bus or connect_event_bus(), cloud.clients.sqs)
    return StreamReader(connect_streams(), cloud.settings.table_name, notifier.handle)


def read_all(stream: StreamReader) -> None:
    """Read until nothing is left."""
    while stream.read():
        pass


def complete(cloud: Cloud, clock: FakeClock, *ids: str, fails: bool = False) -> None:
    """Capture with a real worker, whose browser is a fake."""

    def fail() -> None:
        raise UnknownHost("no such host")

    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(fail if fails else None), clock)
    for each in ids:
        request = CaptureRequest(url=f"https://example.com/{each}", request_id=each)
        worker.process(message(request, f"m-{each}"), FakeContext())


def ids_by_screenshot(events: list[dict[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for event in events:
        found.setdefault(event["detail"]["id"], set()).add(event["detail"]["eventId"])
    return found


def test_a_completed_record_is_an_event_and_no_other_is(cloud: Cloud, clock: FakeClock, rule: EventRule) -> None:
    # Given a success, a failure, a record that is queued, and one that is being processed
    complete(cloud, clock, "done")
    complete(cloud, clock, "gone", fails=True)
    cloud.send(CaptureRequest(url="https://example.com/", request_id="waits"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("stillframe.table.claim.Claim._update_record", _die)
        with pytest.raises(Killed):
            complete(cloud, clock, "under-way")
    # When the stream is read
    read_all(reader(cloud))
    # Then the two that are final have an event each
    events = rule.wait_for(2)
    assert [(event["detail-type"], event["detail"]["id"]) for event in events] == [
        ("Screenshot Captured", "done"),
        ("Screenshot Failed", "gone"),
    ]
    # And its detail is the record as the API answers it, and fits the schema
    for event in events:
        detail = event["detail"]
        assert jsonschema_rs.is_valid(SCHEMA, detail)
        record = cloud.record(detail["id"]).to_wire()
        assert {name: value for name, value in detail.items() if name not in ("version", "eventId")} == record


def _die(*_: object, **__: object) -> None:
    raise Killed


def test_a_screenshot_that_failed_and_is_captured_later_has_two_events(
    cloud: Cloud, clock: FakeClock, rule: EventRule
) -> None:
    # Given a failure that is sent again, and succeeds then
    complete(cloud, clock, "again", fails=True)
    cloud.table.update("again", transitions.reset(cloud.record("again"), clock.now_ms()))
    complete(cloud, clock, "again")
    # When the stream is read, then both ends have an event, each with an id of its own
    read_all(reader(cloud))
    events = rule.wait_for(2)
    assert [event["detail-type"] for event in events] == ["Screenshot Failed", "Screenshot Captured"]
    assert len({event["detail"]["eventId"] for event in events}) == 2


@pytest.mark.parametrize("how", ["kill", "lose the answer", "refuse a third"])
def test_every_event_comes_although_the_notifier_fails_half_way(
    cloud: Cloud, clock: FakeClock, rule: EventRule, how: str
) -> None:
    # Given thirty-five completions, and a notifier whose every second call of EventBridge goes wrong
    ids = [f"id-{number}" for number in range(35)]
    complete(cloud, clock, *ids[:30])
    complete(cloud, clock, *ids[30:], fails=True)
    bus = FaultyBus(lambda call: how if call in (2, 4, 5, 7) else "")
    # When it is started again each time that it ends, and reads on where it may
    stream = reader(cloud, bus)
    for _ in range(20):
        try:
            read_all(stream)
        except Killed:
            stream = reader(cloud, bus)
    # Then every completion has its event, and with one id however often it came
    found = ids_by_screenshot(rule.receive())
    assert sorted(found) == sorted(ids)
    assert [each for each, event_ids in found.items() if len(event_ids) != 1] == []
    # And some did come more than once, so that the faults were there
    assert len(rule.received) > len(ids)


# The function's process, which is killed when its second call of EventBridge has taken effect.
KILLED_AFTER_A_CALL = """
import itertools, os, signal
from stillframe_notifier.event_bus import EventBus
from tests.support import stream_source

put, calls = EventBus._put, itertools.count(1)

def put_and_die(self, entries):
    put(self, entries)
    if next(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return set()

EventBus._put = put_and_die
stream_source.main()
"""


def test_a_killed_process_loses_no_event(cloud: Cloud, clock: FakeClock, rule: EventRule) -> None:
    # Given thirty-five completions, and a notifier's process that is killed after it has sent twenty of them
    ids = [f"id-{number}" for number in range(35)]
    complete(cloud, clock, *ids)
    exports = {**cloud.exports, "PYTHONPATH": f"{SOURCE_PATH}:{ROOT}"}
    killed = subprocess.run([sys.executable, "-c", KILLED_AFTER_A_CALL], env=environment(exports), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(rule.receive()) == 20
    # When another process takes its place
    subprocess.run(
        [sys.executable, "-m", "tests.support.stream_source"], cwd=ROOT, env=environment(exports), check=True
    )
    # Then every completion has its event, and those that came twice came with the same id
    found = ids_by_screenshot(rule.receive())
    assert sorted(found) == sorted(ids)
    assert {len(event_ids) for event_ids in found.values()} == {1}
    assert len(rule.received) == 20 + 35


def test_a_record_that_cannot_be_read_holds_up_no_other(cloud: Cloud, clock: FakeClock, rule: EventRule) -> None:
    # Given a record that somebody has changed by hand, between two others, and a queue for such changes
    aws: Any = boto3
    url = aws.client("sqs").create_queue(QueueName="failures")["QueueUrl"]
    cloud.settings = cloud.settings.model_copy(update={"event_failures_url": url})
    complete(cloud, clock, "before")
    cloud.clients.dynamodb.put_item(
        TableName=cloud.settings.table_name,
        Item={"id": {"S": "odd"}, "status": {"S": "success"}, "width": {"S": "wide"}},
    )
    complete(cloud, clock, "after")
    # When the stream is read, then the others have their events
    read_all(reader(cloud))
    assert sorted(ids_by_screenshot(rule.wait_for(2))) == ["after", "before"]
    # And the queue says which record it was, and why
    (letter,) = cloud.receive(queue_url=url)
    body = json.loads(letter["Body"])
    assert body["keys"] == {"id": {"S": "odd"}}
    assert "width" in body["reason"]


def test_a_table_that_was_made_without_a_stream_gets_one(event_emulator: Emulator) -> None:
    # Given a table of an earlier version
    cloud = Cloud.create(event_emulator, QueuePolicy())
    with pytest.raises(NoStream):
        reader(cloud)
    # When it is provisioned with a stream, twice
    for _ in range(2):
        provision(cloud.clients, QueuePolicy(), cloud.settings.table_name, has_stream=True)
    # Then it can be read
    assert reader(cloud).read() == 0


def test_what_is_left_is_read_at_the_end(cloud: Cloud, clock: FakeClock, rule: EventRule) -> None:
    # Given a reader that runs on a thread, and a completion just before the end
    from stillframe_cli.stream_reader import reading

    with reading(reader(cloud)):
        complete(cloud, clock, "last")
    # Then its event was sent
    assert list(ids_by_screenshot(rule.receive())) == ["last"]


def test_lambda_invokes_the_function_of_the_template(tmp_path: Path, clock: FakeClock) -> None:
    # Given the deployment with events on the emulator, whose function has this code
    from tests.support.event_deployment import deployed_notifier

    with deployed_notifier(tmp_path) as (account, cloud):
        rule = EventRule(account.client, OURS)
        # When a page is captured, another fails, and a third is only queued
        complete(cloud, clock, "done")
        complete(cloud, clock, "gone", fails=True)
        cloud.send(CaptureRequest(url="https://example.com/", request_id="waits"))
        # Then the mapping of the template invokes the function, which puts the two events on the bus
        found = ids_by_screenshot(rule.wait_for(2, seconds=60))
        assert sorted(found) == ["done", "gone"]
