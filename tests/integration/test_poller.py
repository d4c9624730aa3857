"""The consumer's side of the queue."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from cli.poller import Poller
from stillframe.request import CaptureRequest
from tests.conftest import MakeCloud


def test_a_message_that_could_not_be_deleted_is_told_where_everything_is(
    make_cloud: MakeCloud, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a batch that takes longer than its visibility timeout, so that its message is delivered again meanwhile
    cloud = make_cloud(visibility=1)
    cloud.send(CaptureRequest(url="https://example.com/", request_id="late"))

    def be_late(event: dict[str, Any], context: object) -> Any:
        time.sleep(1.2)
        assert len(cloud.receive()) == 1
        return {"batchItemFailures": []}

    # When it is deleted by its stale handle
    with caplog.at_level(logging.WARNING):
        Poller(cloud.clients, cloud.settings, be_late).poll(1)
    # Then a log line says so, under the name that consumers log under
    assert [(line.name, line.message) for line in caplog.records] == [
        ("stillframe.poller", "a message could not be deleted")
    ]
