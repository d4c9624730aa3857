"""Bodies that nobody would send on purpose: each ends as a record or a dead letter, at its first delivery."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from stillframe.archive import Archive
from stillframe.clock import SystemClock
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.table.record import Status
from stillframe_cli.poller import Poller
from stillframe_renderer.message.batch import BatchHandler
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, fixed_tabs, message
from tests.support.fuzz import URL, bodies, is_sendable

FUZZED = 10_000


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "options",
    [
        {"delayMs": 10**50},
        {"delayMs": 1e300},
        {"": 1},
        {"a": {"": {}}},
        {"a": nested(40)},
        {"a": nested(400)},
        {"a": "x" * 500_000},
        {"a": ["", None, [], {}, 0.1 + 0.2]},
        {"a": "\x00\ufffe"},
    ],
    ids=lambda options: str(options)[:30],
)
def test_options_that_dynamodb_cannot_store_are_recorded_as_a_failure(cloud: Cloud, options: dict[str, Any]) -> None:
    # Given a request whose options exceed DynamoDB's limits (38 digits, 32 levels, 400 KB, names of attributes)
    body = json.dumps({"url": URL, "requestId": "odd", "options": options})
    # When it is delivered
    outcome = capture_with(cloud.clients, cloud.settings, FakeRenderer(), FakeClock()).process(
        message(body), FakeContext()
    )
    # Then its record says what is wrong
    record = cloud.record("odd")
    assert (outcome.kind, outcome.acknowledge, outcome.reason) == (OutcomeKind.FAILED, True, "INVALID_REQUEST")
    assert (record.error_code, record.options) == ("INVALID_REQUEST", {})


def send_bodies(cloud: Cloud, chosen: list[str]) -> dict[str, str]:
    """Send the bodies in batches; returns each body by its message id."""
    sent: dict[str, str] = {}
    for at in range(0, len(chosen), 10):
        batch = chosen[at : at + 10]
        entries: Any = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)]
        answer = cloud.clients.sqs.send_message_batch(QueueUrl=cloud.settings.queue_url, Entries=entries)
        assert answer.get("Failed", []) == []
        sent |= {entry["MessageId"]: batch[int(entry["Id"])] for entry in answer["Successful"]}
    return sent


def read_dead_letters(cloud: Cloud) -> Iterator[dict[str, str]]:
    """The messages in the dead-letter queue: body and message attributes."""
    while messages := cloud.receive(queue_url=cloud.settings.dead_letter_queue_url, wait=0):
        for letter in messages:
            attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
            assert attributes["errorMessage"]
            yield {"body": letter["Body"], **attributes}


def test_each_of_ten_thousand_fuzzed_bodies_is_accounted_for(
    make_cloud: MakeCloud, caplog: pytest.LogCaptureFixture
) -> None:
    # Given ten thousand bodies on the queue
    cloud = make_cloud(visibility=600)
    sent = send_bodies(cloud, [body for body in bodies(FUZZED + 2000, seed=4) if is_sendable(body)][:FUZZED])
    # When a worker processes them in batches, as Lambda does
    outcomes: dict[str, Outcome] = {}
    capture = capture_with(cloud.clients, cloud.settings, FakeRenderer(), SystemClock())
    handler = BatchHandler(
        capture, [lambda outcome: outcomes.update({outcome.message_id: outcome})], fixed_tabs(4), SystemClock()
    )
    with caplog.at_level(logging.ERROR):
        poller = Poller(cloud.clients, cloud.settings, handler.handle)
        while poller.poll(0):
            pass
    # Then each ends at its first delivery, and nothing is logged as an error
    assert outcomes.keys() == sent.keys()
    assert {outcome.receive_count for outcome in outcomes.values()} == {1}
    assert [record.message for record in caplog.records] == []
    assert [outcome for outcome in outcomes.values() if not outcome.acknowledge] == []
    # And each has a final record, or is in the dead-letter queue with its reason
    dead_lettered = {mid for mid, outcome in outcomes.items() if outcome.reason in ("UNPARSABLE_BODY", "ID_CONFLICT")}
    assert {letter["sourceMessageId"]: letter["body"] for letter in read_dead_letters(cloud)} == {
        message_id: sent[message_id] for message_id in dead_lettered
    }
    records = Archive(cloud.clients, cloud.settings).all_records()
    final = {record.id for record in records if record.status in (Status.SUCCESS, Status.FAILED)}
    assert {outcome.id for mid, outcome in outcomes.items() if mid not in dead_lettered} == final
    # And every kind of outcome occurs often
    counted = Counter(outcome.reason or outcome.kind.value for outcome in outcomes.values())
    assert all(counted[reason] > 100 for reason in ("UNPARSABLE_BODY", "ID_CONFLICT", "INVALID_REQUEST", "captured"))
