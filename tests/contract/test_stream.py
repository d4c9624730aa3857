"""The stream of a table, and PutEvents: what the notifier relies on, in the models and in MiniStack."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillframe.clients import connect_event_bus
from stillframe.table.attributes import to_attributes
from stillframe_cli.emulator import EVENT_SERVICES, Emulator, running_emulator
from stillframe_cli.provision import QueuePolicy, provision
from stillframe_cli.stream_reader import StreamReader, connect_streams
from tests.simulation.aws.event_bus import SimulatedEventBus
from tests.simulation.aws.stream import SimulatedStream
from tests.simulation.aws.table import SimulatedTable
from tests.support.cloud import Cloud

ENTRY = {"Source": "stillframe", "DetailType": "t", "Detail": "{}", "EventBusName": "default"}


@dataclass
class Streamed:
    """A table, a function that returns all changes that its stream has had, and a bus."""

    table: Any
    name: str
    changes: Callable[[], list[dict[str, Any]]]
    bus: Any

    def update(self, key: str, condition: str = "", **values: str) -> None:
        """Set attributes of an item, if the condition holds."""
        names = {f"#{name}": name for name in values}
        more: Any = {"ConditionExpression": condition} if condition else {}
        self.table.update_item(
            TableName=self.name,
            Key=to_attributes({"id": key}),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=to_attributes({f":{name}": value for name, value in values.items()}),
            **more,
        )


def simulated() -> Streamed:
    stream = SimulatedStream(lambda: 0)
    table = SimulatedTable(lambda: 0)
    table.watchers.append(stream.written)

    def changes() -> list[dict[str, Any]]:
        return [each.to_lambda() for shard in stream.shards for each in shard]

    return Streamed(table, "table", changes, SimulatedEventBus())


@pytest.fixture(scope="module")
def event_emulator() -> Iterator[Emulator]:
    with running_emulator(services=EVENT_SERVICES) as running:
        yield running


def emulated(emulator: Emulator) -> Streamed:
    cloud = Cloud.create(emulator, QueuePolicy())
    name = cloud.settings.table_name
    provision(cloud.clients, QueuePolicy(), name, has_stream=True)

    def changes() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []

        def keep(batch: Any) -> dict[str, list[Any]]:
            found.extend(batch["Records"])
            return {"batchItemFailures": []}

        reader = StreamReader(connect_streams(), name, keep)
        while reader.read():
            pass
        return found

    return Streamed(cloud.clients.dynamodb, name, changes, connect_event_bus())


@pytest.fixture(params=["simulation", "ministack"])
def streamed(request: pytest.FixtureRequest) -> Streamed:
    return simulated() if request.param == "simulation" else emulated(request.getfixturevalue("event_emulator"))


def test_every_change_of_an_item_is_in_the_stream_in_order_with_what_was_before(streamed: Streamed) -> None:
    # Given / When two items are written, one of them three times
    for value in ("1", "2", "3"):
        streamed.update("a", value=value)
    streamed.update("b", value="9")
    # Then the stream has each change, with the item before and after
    found = [each["dynamodb"] for each in streamed.changes()]
    of_a = [each for each in found if each["Keys"] == {"id": {"S": "a"}}]
    values = [(each.get("OldImage", {}).get("value"), each["NewImage"]["value"]) for each in of_a]
    assert values == [(None, {"S": "1"}), ({"S": "1"}, {"S": "2"}), ({"S": "2"}, {"S": "3"})]
    assert len(found) == 4
    # And sequence numbers that grow
    numbers = [int(each["SequenceNumber"]) for each in of_a]
    assert numbers == sorted(set(numbers))


def test_what_changes_nothing_is_no_change(streamed: Streamed) -> None:
    # Given / When an item is written again as it is, and once under a condition that does not hold
    streamed.update("a", value="1")
    streamed.update("a", value="1")
    with contextlib.suppress(ClientError):
        streamed.update("a", value="2", condition="attribute_not_exists(id)")
    # Then only the first write is a change
    assert len(streamed.changes()) == 1


@pytest.mark.parametrize(("count", "is_taken"), [(1, True), (10, True), (11, False)])
def test_a_call_takes_ten_entries(streamed: Streamed, count: int, is_taken: bool) -> None:
    with contextlib.nullcontext() if is_taken else pytest.raises(ClientError):
        answer = streamed.bus.put_events(Entries=[ENTRY] * count)
        # An entry that is taken has an id, and one that is refused has none
        assert answer["FailedEntryCount"] == 0
        assert [sorted(each) for each in answer["Entries"]] == [["EventId"]] * count
