"""The consumer's side of the queue."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from stillframe.request.capture_request import CaptureRequest
from stillframe_cli.poller import Poller
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud


def test_a_message_that_cannot_be_deleted_is_logged(make_cloud: MakeCloud, caplog: pytest.LogCaptureFixture) -> None:
    # Given a batch that takes longer than its visibility timeout, so that its message is delivered again meanwhile
    cloud = make_cloud(visibility=1)
    cloud.send(CaptureRequest(url="https://example.com/", request_id="late"))

    def be_late(event: dict[str, Any], context: object) -> Any:
        time.sleep(1.2)
        assert len(cloud.receive()) == 1
        return {"batchItemFailures": []}

    # When it is deleted with its outdated handle
    with caplog.at_level(logging.WARNING):
        Poller(cloud.clients, cloud.settings, be_late).poll(1)
    # Then a warning is logged by the logger of consumers
    assert [(line.name, line.message) for line in caplog.records] == [
        ("stillframe.poller", "a message could not be deleted")
    ]


def test_a_batch_that_had_to_wait_has_less_time_left(cloud: Cloud) -> None:
    # Given a batch that was received 20 s before it could be processed
    remaining_ms: list[int] = []

    def read_remaining_time(event: dict[str, Any], context: LambdaContext) -> Any:
        remaining_ms.append(context.get_remaining_time_in_millis())
        return {"batchItemFailures": []}

    cloud.send(CaptureRequest(url="https://example.com/", request_id="late"))
    visibility = 30
    poller = Poller(cloud.clients, cloud.settings, read_remaining_time)
    messages = poller.receive(1, 1)
    # When it is processed, then none of its captures may run past the visibility timeout
    poller.process(messages, time.monotonic() - 20)
    assert remaining_ms[0] < (visibility - 20) * 1000
