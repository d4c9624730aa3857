"""Records that do not look as AWS documents them: each delivery has an outcome, a log line and a metric."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from stillframe.clock import SystemClock
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe_cli.poller import Poller
from stillframe_renderer.embedded_metrics import MetricEmitter
from stillframe_renderer.message.batch import BatchHandler
from stillframe_renderer.observability import Observer, log_outcome
from tests.support.cloud import Cloud
from tests.support.events import event_of
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, fixed_tabs


class ObservedWorker:
    """A batch handler with the observers of a real worker. `outcomes` are by message id."""

    def __init__(self, cloud: Cloud) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.metrics = io.StringIO()
        capture = capture_with(cloud.clients, cloud.settings, FakeRenderer(), SystemClock())
        emitter = MetricEmitter(self.metrics)
        observers: list[Observer] = [log_outcome, emitter, self._remember]
        self.handler = BatchHandler(capture, observers, fixed_tabs(2), FakeClock(), on_end=emitter.flush)

    def _remember(self, outcome: Outcome) -> None:
        self.outcomes[outcome.message_id] = outcome

    @property
    def counted(self) -> int:
        """How many deliveries the metrics have."""
        return sum(len(json.loads(line).get("Captures", [])) for line in self.metrics.getvalue().splitlines())


@pytest.fixture
def worker(cloud: Cloud) -> ObservedWorker:
    return ObservedWorker(cloud)


def body_of(name: str) -> str:
    return CaptureRequest(url="https://example.com/", request_id=name).to_body()


def test_messages_with_attributes_of_any_type_are_captured_by_a_consumer(cloud: Cloud, worker: ObservedWorker) -> None:
    # Given messages with text, a number, and bytes that are not UTF-8 in an attribute
    attributes: dict[str, Any] = {
        "text": {"DataType": "String", "StringValue": "é"},
        "number": {"DataType": "Number.float", "StringValue": "1.5"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x0a\xff\xfe\x80"},
        "custom": {"DataType": "Binary.gzip", "BinaryValue": b"\x1f\x8b"},
    }
    for name, attribute in attributes.items():
        cloud.clients.sqs.send_message(
            QueueUrl=cloud.settings.queue_url, MessageBody=body_of(name), MessageAttributes={"trace": attribute}
        )
    # When a consumer receives them
    poller = Poller(cloud.clients, cloud.settings, worker.handler.handle)
    while poller.poll(1):
        pass
    # Then all of them are captured and acknowledged
    assert {name: cloud.record(name).status.value for name in attributes} == dict.fromkeys(attributes, "success")
    assert poller.is_drained()


def test_every_record_of_an_event_has_an_outcome(
    cloud: Cloud, worker: ObservedWorker, caplog: pytest.LogCaptureFixture
) -> None:
    # Given an event with good records that lack what captures do not need, and with records that are no messages
    event = event_of(*(body_of(name) for name in "abcdef"))
    good, senderless, null_attributes, binary, no_body, nobody = event["Records"]
    del senderless["attributes"]["SenderId"]
    null_attributes["messageAttributes"] = None
    binary["messageAttributes"] = {"trace": {"dataType": "Binary", "binaryValue": "Cv/+gA==", "stringValue": None}}
    no_body["body"] = {"url": "https://example.com/"}
    del nobody["messageId"]
    event["Records"].append(None)
    # When it is handled
    with caplog.at_level(logging.INFO, logger="stillframe"):
        response = worker.handler.handle(event, FakeContext())  # type: ignore[arg-type]
    # Then nothing is handed back, and the good ones are captured
    assert response == {"batchItemFailures": []}
    assert [worker.outcomes[each["messageId"]].kind for each in (good, senderless, null_attributes, binary)] == [
        OutcomeKind.CAPTURED
    ] * 4
    # And each of the others is a dead letter with its reason
    letters = cloud.dead_letters()
    assert [each["MessageAttributes"]["errorCode"]["StringValue"] for each in letters] == ["UNREADABLE_RECORD"] * 3
    assert no_body in [json.loads(each["Body"]) for each in letters]
    # And every record has a log line and a metric
    assert sum(line.message == "capture" for line in caplog.records) == len(event["Records"]) == worker.counted


def test_a_record_without_an_id_that_cannot_be_kept_brings_back_its_batch(
    cloud: Cloud, worker: ObservedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a record without an id, and a dead-letter queue that does not answer
    event = event_of(body_of("a"), body_of("b"))
    del event["Records"][1]["messageId"]

    def refuse(**_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(cloud.clients.sqs, "send_message", refuse)
    # When the batch is handled, then the other record is captured, and Lambda is told to deliver all of them again
    response = worker.handler.handle(event, FakeContext())  # type: ignore[arg-type]
    assert response == {"batchItemFailures": [{"itemIdentifier": ""}]}
    assert worker.outcomes["message-0"].kind is OutcomeKind.CAPTURED
    assert worker.outcomes[""].kind is OutcomeKind.RETRY
