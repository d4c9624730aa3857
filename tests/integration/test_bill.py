"""What AWS charges for a capture beside its compute: writes, requests and log bytes, counted as they are made."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from stillframe import log_messages
from stillframe.clients import Clients
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe.table import transitions
from stillframe.table.record import INDEX_NAME, TENANT_INDEX, Status
from stillframe_cli.capacity import prices
from stillframe_cli.poller import Poller
from stillframe_cli.provision import QueuePolicy, provision
from stillframe_renderer import handler as entry
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.execution_environment import new_environment
from tests.support.serving import QuietHandler, serving
from tests.support.write_units import Bill

PAGES = 10
BATCH = 5
MAX_LOG_BYTES, MAX_LINE_BYTES = 1100, 700
# How far the figures of the model may be from what is counted here.
TOLERANCE = 0.1
TITLE = "A ferry that sails at six is late again, harbour office says"
PROSE = "The ferry left the harbour at six and the light on the water was grey. " * 20
# As long as CloudFormation makes the names of a bucket and a log stream of a function.
NAME = "stillframe-storage-images9d2b4a31-{:0>12}"
numbers = itertools.count()
LOG_STREAM = "2026/11/27/[$LATEST]0123456789abcdef0123456789abcdef"


class TextPage(QuietHandler):
    """A page of text with a title of 60 characters."""

    def do_GET(self) -> None:
        head = f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{TITLE}</title>"
        self.answer(200, f"{head}</head><body><h1>{TITLE}</h1>{f'<p>{PROSE}</p>' * 20}</body></html>".encode())


class Invocation:
    """The context of one invocation, with a request id of Lambda's form."""

    function_name, function_version = "renderer", "$LATEST"
    memory_limit_in_mb = 1536
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:renderer"

    def __init__(self) -> None:
        self.aws_request_id = str(uuid.uuid4())

    def get_remaining_time_in_millis(self) -> int:
        return 60_000

    def platform_lines(self) -> str:
        """The lines that Lambda writes about an invocation in its text format, which is the function's."""
        name = f"RequestId: {self.aws_request_id}"
        return (
            f"START {name} Version: $LATEST\nEND {name}\n"
            f"REPORT {name}\tDuration: 1234.56 ms\tBilled Duration: 1235 ms\t"
            "Memory Size: 1536 MB\tMax Memory Used: 612 MB\t\n"
        )


@dataclass
class Function:
    """The function with its queue. `log` is what CloudWatch Logs would take, of all invocations."""

    cloud: Cloud
    bill: Bill
    capsys: pytest.CaptureFixture[str]
    log: str = ""

    def run(self, batch: int) -> None:
        """Deliver batches until the queue is empty, as Lambda's event source mapping does."""
        poller = Poller(self.cloud.clients, self.cloud.settings, self._invoke, batch)
        self.bill.requests.clear()
        left = PAGES
        while left:
            left -= poller.poll(5)

    def _invoke(self, event: dict[str, Any], _: Any) -> Any:
        invocation: Any = Invocation()
        response = entry.handler(event, invocation)
        self.log += self.capsys.readouterr().out + invocation.platform_lines()
        return response


@pytest.fixture
def page() -> Iterator[str]:
    """A URL of 80 characters."""
    with serving(TextPage) as host:
        start = f"http://{host}/archive/2026/11/"
        yield start + "the-ferry-is-late-again-for-the-third-day-this-week"[: 77 - len(start)]


@pytest.fixture
def function(
    make_cloud: MakeCloud, page: str, chromium: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Function]:
    cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=page.split("/")[2], STILLFRAME_TABS=str(BATCH))
    cloud.exports |= provision(cloud.clients, QueuePolicy(), NAME.format(next(numbers)))
    cloud.exports |= {"LAMBDA_TASK_ROOT": "/var/task", "LOG_LEVEL": "INFO", "AWS_LAMBDA_LOG_STREAM_NAME": LOG_STREAM}
    cloud.settings = Settings.from_environment(**cloud.exports)
    monkeypatch.setattr(Clients, "connect", lambda *_, **__: cloud.clients)
    with new_environment(monkeypatch, cloud.exports):
        yield Function(cloud, Bill(cloud), capsys)


def requests_for(page: str, tenant: str | None = None) -> list[CaptureRequest]:
    prefix = f"{tenant}:" if tenant else ""
    return [
        CaptureRequest(url=f"{page}?{number:02}", request_id=f"{prefix}{uuid.uuid4()}", tenant=tenant)
        for number in range(PAGES)
    ]


def test_what_a_capture_of_a_text_page_is_charged_for(function: Function, page: str) -> None:
    # Given ten requests, each sent on its own, with URLs of 80 characters
    bill, cloud, requests = function.bill, function.cloud, requests_for(page)
    assert {len(each.url) for each in requests} == {80}
    for request in requests:
        cloud.send(request)
    sends = bill.requests["SendMessageBatch"]
    # When they are captured in batches of five
    function.run(BATCH)
    assert {(cloud.record(each.id).status, cloud.record(each.id).title) for each in requests} == {
        (Status.SUCCESS, TITLE)
    }
    # Then each is charged three writes of the table and two of its index, of one unit each, and one of the bucket
    assert bill.units == {"table": 3 * PAGES, INDEX_NAME: 2 * PAGES}
    assert bill.requests["UpdateItem"] == 2 * PAGES
    assert bill.requests["PutObject"] == PAGES
    # And 1.4 requests of the queue
    queue_requests = sends + bill.requests["ReceiveMessage"] + bill.requests["DeleteMessageBatch"]
    assert queue_requests / PAGES == prices.sqs_requests(BATCH) == pytest.approx(1.4)
    # And at most 1.1 KB of logs, Lambda's own lines included, of which its own line has at most 700 bytes
    assert len(function.log.encode()) / PAGES < MAX_LOG_BYTES
    lines = [line for line in function.log.splitlines() if f'"{log_messages.CAPTURE}"' in line]
    assert len(lines) == PAGES
    assert max(len(line.encode()) for line in lines) < MAX_LINE_BYTES
    # And the model of `stillframe plan` counts as much
    means = dict(bill.mean_sizes())
    assert means[Status.QUEUED] == pytest.approx(prices.QUEUED_BYTES, rel=TOLERANCE)
    assert means[Status.PROCESSING] == pytest.approx(prices.CLAIMED_BYTES, rel=TOLERANCE)
    assert means[Status.SUCCESS] == pytest.approx(prices.RECORD_BYTES, rel=TOLERANCE)
    assert prices.write_units([*prices.TABLE_WRITES, *prices.INDEX_WRITES]) == sum(bill.units.values()) / PAGES
    assert len(function.log.encode()) / PAGES == pytest.approx(prices.log_bytes(BATCH), rel=TOLERANCE)


def test_a_capture_on_its_own_is_charged_for_what_a_batch_shares(function: Function, page: str) -> None:
    # Given requests that were sent together, when each is an event of its own
    list(Producer(function.cloud.clients, function.cloud.settings).send(requests_for(page)))
    sends = function.bill.requests["SendMessageBatch"]
    function.run(1)
    # Then the model counts as many bytes of logs, and no fewer requests
    assert len(function.log.encode()) / PAGES == pytest.approx(prices.log_bytes(1), rel=TOLERANCE)
    received = function.bill.requests["ReceiveMessage"] + function.bill.requests["DeleteMessageBatch"]
    assert (sends, received / PAGES) == (1, prices.SQS_REQUESTS_PER_BATCH)


def test_a_capture_of_a_tenant_is_charged_for_its_list_and_its_usage(function: Function, page: str) -> None:
    # Given / When requests of a tenant are captured
    list(Producer(function.cloud.clients, function.cloud.settings).send(requests_for(page, "acme")))
    function.run(BATCH)
    # Then its index is written when a record is queued, claimed, and completed, when its entry moves; and with what the
    # tenant adds, the completed record of this page is larger than 1 KB
    assert function.bill.units == {"table": 5 * PAGES, INDEX_NAME: 2 * PAGES, TENANT_INDEX: 5 * PAGES}


def test_a_failure_that_is_retried_moves_in_the_index(function: Function, page: str) -> None:
    # Given a record that has failed with a code that may be retried
    request, cloud = requests_for(page)[0], function.cloud
    cloud.send(request)
    update = transitions.fail(request.id, "none", {"errorCode": "TIMEOUT"}, 1)
    cloud.table.update(request.id, replace(update, condition="attribute_exists(id)", values={}))
    assert function.bill.units == {"table": 2, INDEX_NAME: 1 + 2}
    # When it is claimed and completed, then its entry is put where those are that are not finished, and deleted
    cloud.receive()
    cloud.send(*requests_for(page)[1:], request)
    function.run(BATCH)
    assert function.bill.units[INDEX_NAME] == 3 + 2 + 1 + 2 * (PAGES - 1)
