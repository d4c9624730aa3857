"""The Python code of docs/sending.md, run against a real queue, table and bucket."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from stillframe.request.capture_request import CaptureRequest
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

PAGE = Path(__file__).parents[2] / "docs/sending.md"


def test_what_the_page_sends_is_a_request_and_what_it_asks_is_answered(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the code of the page, and the names that it uses
    send, ask = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    settings = cloud.settings
    names: dict[str, Any] = {
        "queue_url": settings.queue_url,
        "table_name": settings.table_name,
        "bucket_name": settings.bucket_name,
    }
    for name, value in cloud.exports.items():
        monkeypatch.setenv(name, value)
    # When it sends, and a worker has worked
    exec(send, names)
    (received,) = cloud.receive()
    request = CaptureRequest.from_body(received["Body"])
    worker = capture_with(cloud.clients, settings, FakeRenderer(), FakeClock())
    worker.process(message(request), FakeContext())
    # Then it finds the record, and its URL gives the image
    exec(ask, names)
    assert urlopen(names["url"], timeout=10).read() == cloud.image("order-42")
