"""The notifier: every event to every sink, and the first change that must come again is reported."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from stillframe.events import Event
from stillframe.table.attributes import to_attributes
from stillframe_notifier.change import Change, Unreadable
from stillframe_notifier.event_bus import MAX_ENTRIES, EventBus
from stillframe_notifier.notifier import Notifier
from tests.simulation.aws.event_bus import SimulatedEventBus

NOTHING_FAILS: dict[str, Any] = {"batchItemFailures": []}


def change(number: int, status: str = "success", **values: Any) -> dict[str, Any]:
    """A record of Lambda's event, by which the screenshot of this number gets this status."""
    item = {"id": f"id{number}", "claimToken": "t", "updatedAt": 1_700_000_000_123, "status": status, **values}
    return {"dynamodb": {"SequenceNumber": f"{number}00", "Keys": {}, "NewImage": to_attributes(item)}}


def failure(number: int) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": f"{number}00"}]}


class RecordingSink:
    """Keeps what it gets, and fails for some screenshots."""

    def __init__(self, *fails_for: str) -> None:
        self.fails_for = fails_for
        self.sent: list[str] = []

    def send(self, events: Sequence[Event]) -> Collection[str]:
        self.sent += [event.subject.id for event in events]
        return {event.id for event in events if event.subject.id in self.fails_for}


class BrokenSink:
    def send(self, events: Sequence[Event]) -> Collection[str]:
        raise RuntimeError("broken")


def refuse(_: Change, error: Unreadable) -> None:
    raise AssertionError(f"nothing is unreadable: {error}")


def test_every_sink_gets_every_event_once() -> None:
    # Given a batch with a claim, two completions, one of them twice, and an item that is no record
    sinks = RecordingSink(), RecordingSink()
    slot = {"dynamodb": {"SequenceNumber": "400", "NewImage": to_attributes({"id": "slot#h#0", "holder": "t"})}}
    batch = [change(1, "processing"), change(2), slot, change(5, "failed"), change(2)]
    # When it is handled
    answer = Notifier(sinks, refuse).handle({"Records": batch})
    # Then each sink got the two events in their order, and nothing has to come again
    assert [sink.sent for sink in sinks] == [["id2", "id5"]] * 2
    assert answer == NOTHING_FAILS


def test_no_sink_is_bothered_without_an_event() -> None:
    answer = Notifier([BrokenSink()], refuse).handle({"Records": [change(1, "queued"), change(2, "processing")]})
    assert answer == NOTHING_FAILS


@pytest.mark.parametrize(
    ("sinks", "first"),
    [
        ([RecordingSink("id2")], 2),
        ([RecordingSink("id3", "id2")], 2),
        ([RecordingSink("id3"), RecordingSink("id2")], 2),
        ([RecordingSink(), RecordingSink("id3")], 3),
        ([BrokenSink(), RecordingSink()], 1),
    ],
)
def test_the_first_change_that_a_sink_did_not_send_is_reported(sinks: list[Any], first: int) -> None:
    # Given / When some sinks fail for some events
    answer = Notifier(sinks, refuse).handle({"Records": [change(1), change(2), change(3)]})
    # Then the first of them is reported, from which on Lambda delivers again
    assert answer == failure(first)
    # And the other sinks got all of them
    assert all(sink.sent == ["id1", "id2", "id3"] for sink in sinks if isinstance(sink, RecordingSink))


# Lambda has binary attributes as base64, and boto3 as bytes: `options` has neither unless somebody changes it by hand.
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", {"S": "wide"}),
        ("options", {"M": {"css": {"B": "AAAA"}}}),
        ("options", {"M": {"css": {"B": b"\xff"}}}),
        ("metadata", {"M": {"key": {"B": b"\xff"}}}),
    ],
)
def test_a_change_that_cannot_be_read_is_put_aside_and_holds_up_nobody(name: str, value: dict[str, Any]) -> None:
    # Given a final record with an attribute that is odd, between two others
    aside: list[str] = []
    notifier = Notifier(
        [EventBus(bus := SimulatedEventBus(), "default", "stillframe")],
        lambda change, error: aside.append(change.position),
    )
    odd = change(2)
    odd["dynamodb"]["NewImage"][name] = value
    # When the batch is handled
    answer = notifier.handle({"Records": [change(1), odd, change(3)]})
    # Then it is put aside, and the others are sent
    assert answer == NOTHING_FAILS
    assert aside == ["200"]
    assert [json.loads(entry["Detail"])["id"] for entry in bus.entries] == ["id1", "id3"]


def test_a_change_that_can_neither_be_read_nor_put_aside_comes_again() -> None:
    def fail(_: Change, error: Unreadable) -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs")

    answer = Notifier([RecordingSink()], fail).handle({"Records": [change(1), change(2, width="wide"), change(3)]})
    assert answer == failure(2)


def events(count: int, **values: Any) -> list[Event]:
    changes = [Change.of_record(change(number, **values)) for number in range(1, count + 1)]
    return [event for each in changes for event in each.events()]


def test_an_entry_names_the_deployment_and_the_kind_of_event() -> None:
    # Given / When a success and a failure are put
    bus = SimulatedEventBus()
    success, failed = events(1)[0], events(1, status="failed")[0]
    assert EventBus(bus, "shop", "stillframe-prod").send([success, failed]) == set()
    # Then each has the bus, the deployment as its source, its type, and the time of the completion in seconds
    assert [(entry["DetailType"], entry["Time"]) for entry in bus.entries] == [
        ("Screenshot Captured", 1_700_000_000.123),
        ("Screenshot Failed", 1_700_000_000.123),
    ]
    assert {(entry["EventBusName"], entry["Source"]) for entry in bus.entries} == {("shop", "stillframe-prod")}
    assert [json.loads(entry["Detail"])["eventId"] for entry in bus.entries] == [success.id, failed.id]


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (MAX_ENTRIES, 1), (MAX_ENTRIES + 1, 2), (35, 4)])
def test_a_call_has_ten_entries_at_most(count: int, calls: int) -> None:
    # Given a bus that refuses an eleventh entry, and counts calls
    class Counting(SimulatedEventBus):
        calls = 0

        def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
            self.calls += 1
            return super().put_events(Entries=Entries)

    bus = Counting()
    # When this many events are put, then none is left
    assert EventBus(bus, "default", "stillframe").send(events(count)) == set()
    assert (len(bus.entries), bus.calls) == (count, calls)


def test_a_call_is_smaller_than_the_limit() -> None:
    # Given events that are much too large for one call, each larger than a detail may be, and a bus that refuses more
    bus = SimulatedEventBus()
    large = events(4, options={"css": "x" * 100_000}, title="t" * 100_000, errorMessage="e" * 100_000)
    # When they are put, then none is left
    assert EventBus(bus, "default", "stillframe").send([*large, *events(5)]) == set()
    assert len(bus.entries) == 9


def test_an_event_of_a_record_without_a_time_has_the_time_of_its_sending() -> None:
    bus = SimulatedEventBus()
    EventBus(bus, "default", "stillframe").send(events(1, updatedAt=None))
    assert "Time" not in bus.entries[0]


def test_entries_that_are_refused_are_told_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    # Given a bus that refuses the second and the twelfth of its entries
    numbers = iter(range(1, 100))
    bus = SimulatedEventBus(lambda: next(numbers) in (2, 12))
    given = events(15)
    # When events are put, then exactly these are not sent
    assert EventBus(bus, "default", "stillframe").send(given) == {given[1].id, given[11].id}
    assert [json.loads(entry["Detail"])["id"] for entry in bus.entries].count("id2") == 0
    # And the log has the reason
    assert [record.reasons for record in caplog.records if record.levelno == logging.ERROR] == [  # type: ignore[attr-defined]
        ["ThrottlingException: Rate exceeded"]
    ] * 2


def test_after_a_call_that_fails_nothing_more_is_put() -> None:
    # Given a bus whose second call gets no answer
    class Silent(SimulatedEventBus):
        calls = 0

        def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
            self.calls += 1
            if self.calls == 2:
                raise EndpointConnectionError(endpoint_url="https://events")
            return super().put_events(Entries=Entries)

    bus, given = Silent(), events(30)
    # When three calls' worth of events are put, then all but the first ten are left for the next time
    assert EventBus(bus, "default", "stillframe").send(given) == {event.id for event in given[10:]}
    assert bus.calls == 2
