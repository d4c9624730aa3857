"""What AWS charges for a capture beside its compute: writes, requests and log bytes, counted as they are made."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from stillframe.clients import Clients
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe.table.record import Status
from stillframe_cli.poller import Poller
from stillframe_cli.provision import QueuePolicy, provision
from stillframe_renderer import handler as entry
from stillframe_renderer.runtime import Runtime
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.serving import QuietHandler, serving
from tests.support.write_units import Bill

PAGES = 10
BATCH = 5
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
    for name, value in cloud.exports.items():
        monkeypatch.setenv(name, value)
    built: list[Runtime] = []
    build = Runtime.build

    def remember(*arguments: Any, **named: Any) -> Runtime:
        built.append(build(*arguments, **named))
        return built[-1]

    monkeypatch.setattr(Runtime, "build", remember)
    monkeypatch.setattr(Clients, "connect", lambda *_, **__: cloud.clients)
    bill = Bill(cloud)
    entry.worker.cache_clear()
    yield Function(cloud, bill, capsys)
    for runtime in built:
        runtime.close()
    entry.worker.cache_clear()


def requests_for(page: str, tenant: str | None = None) -> list[CaptureRequest]:
    prefix = f"{tenant}:" if tenant else ""
    return [
        CaptureRequest(url=f"{page}?{number:02}", request_id=f"{prefix}{uuid.uuid4()}", tenant=tenant)
        for number in range(PAGES)
    ]


@pytest.mark.parametrize("tenant", [None, "acme"])
def test_what_a_capture_costs(function: Function, page: str, tenant: str | None) -> None:
    bill, cloud = function.bill, function.cloud
    requests = requests_for(page, tenant)
    assert {len(each.url) for each in requests} == {80}
    list(Producer(cloud.clients, cloud.settings).send(requests))
    sends = dict(bill.requests)
    function.run(BATCH)
    records = [cloud.record(each.id) for each in requests]
    assert {(each.status, each.title) for each in records} == {(Status.SUCCESS, TITLE)}
    lines = list(function.log.splitlines())
    for line in lines[:8] + lines[-8:]:
        print(len(line), line)
    print(sends, dict(bill.requests))
    print(dict(bill.units), dict(bill.mean_sizes()), len(function.log) / PAGES)
    print(cloud.clients.dynamodb.get_item(TableName=cloud.settings.table_name, Key={"id": {"S": requests[0].id}}))
    assert 0
