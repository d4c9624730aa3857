"""A rule of EventBridge that sends events to a queue, as somebody who wants to know of them has."""

from __future__ import annotations

import json
import time
from typing import Any

QUEUE = "events"


class EventRule:
    """The events that match a pattern, on a queue of their own. `client` makes clients of one account."""

    def __init__(self, client: Any, pattern: dict[str, Any], bus: str = "default") -> None:
        """`client` makes the client of a service: `boto3.client`, or that of a session."""
        self._sqs = client("sqs")
        self._url: str = self._sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        events = client("events")
        events.put_rule(Name="completed", EventPattern=json.dumps(pattern), EventBusName=bus)
        target = {"Id": "queue", "Arn": attributes["QueueArn"]}
        events.put_targets(Rule="completed", EventBusName=bus, Targets=[target])
        self.received: list[dict[str, Any]] = []

    def receive(self) -> list[dict[str, Any]]:
        """Take what has come. Returns everything that has come so far."""
        while True:
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self.received.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            if not answer.get("Messages"):
                return self.received

    def wait_for(self, count: int, seconds: float = 20) -> list[dict[str, Any]]:
        """Wait until this many events have come. Fails if they do not."""
        give_up_at = time.monotonic() + seconds
        while len(self.receive()) < count:
            assert time.monotonic() < give_up_at, self.received
            time.sleep(0.05)
        return self.received
