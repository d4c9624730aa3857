"""What workers, producers, readers and operators do with a deployment, while their AWS calls are recorded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from stillframe.clock import SystemClock
from stillframe.events import Event
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.envelope import EventKind, Webhook
from stillframe.signed_link import SignedLink
from stillframe.table.attributes import item_key, to_attributes
from stillframe.table.record import Record, Status, index_shard
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.limits import Limits
from stillframe.watches.declared import Declared
from stillframe.watches.store import WatchStore
from stillframe.webhooks.outbox import WebhookOutbox

from .api_calls import API_KEY, FAILED, LINK
from .deployment import CLUSTER, FUNCTION, SERVICE, STACK, Deployment
from .fakes import FakeClock
from .receiver import receiving
from .recorded_calls import RecordedCall, Recording
from .workers import ROOT, STILLFRAME, environment, wait_for

SMALL = {"viewport": {"width": 64, "height": 48}}
OF_STACK = ("--stack", STACK)
CONSUMER = (*STILLFRAME, "consume", "--continuous", "--tabs", "2", "--log-format", "json")
EVENT_SOURCE = (sys.executable, "-m", "tests.support.event_source")
SECONDS = 90
DAY_MS = 24 * 3_600_000
LOG_CHARACTERS = 10_000
# What the receiver of webhooks answers: one arrives, one is tried again, and one is given up.
STATUSES = {"/webhook": 204, "/failing": 500, "/gone": 410}
HOOK_URL = "http://hooks.invalid/"
HOOK = {"url": HOOK_URL, "events": ["captured"]}


def work(given: Deployment, name: str, program: tuple[str, ...]) -> list[RecordedCall]:
    """A worker meets everything that a worker may meet."""
    recording = given.recording(name)
    exports = {**given.cloud.exports, **recording.exports, "STILLFRAME_TABS": "2"}
    exports["PYTHONPATH"] += f":{ROOT}"
    with (given.folder / f"{name}.log").open("wb") as log:
        worker = subprocess.Popen(program, cwd=ROOT, env=environment(exports), stdout=log, stderr=log)
        try:
            _give_work(given, name)
            wait_for(lambda: _has_retried_and_refused(recording, given), SECONDS, "a retry and a dead letter")
        finally:
            worker.terminate()
            worker.wait(60)
    return recording.calls()


def _has_retried_and_refused(recording: Recording, given: Deployment) -> bool:
    calls = [(call.operation, call.parameters.get("QueueUrl")) for call in recording.calls()]
    settings = given.cloud.settings
    retry, refusal = ("ChangeMessageVisibility", settings.queue_url), ("SendMessage", settings.dead_letter_queue_url)
    return retry in calls and refusal in calls


def _give_work(given: Deployment, name: str) -> None:
    cloud, page = given.cloud, f"http://{given.site}/colour?hex=00aa00&worker={name}"

    def capture(*numbers: int, url: str = page, **options: object) -> None:
        ids = [f"{name}-{number}" for number in numbers]
        cloud.send(*(CaptureRequest(url=url, request_id=each, options={**SMALL, **options}) for each in ids))
        for each in ids:
            _wait_for_success(given, each, name)

    # An image whose record is gone is adopted.
    capture(1)
    cloud.clients.dynamodb.delete_item(TableName=cloud.settings.table_name, Key=item_key(f"{name}-1"))
    capture(1)
    # A comparison with an image, and with one that is gone.
    capture(2, compareTo="previous")
    capture(3, compareTo="previous")
    key = cloud.record(f"{name}-3").s3_key or ""
    cloud.clients.s3.delete_object(Bucket=cloud.settings.bucket_name, Key=key)
    capture(4, compareTo="previous")
    cloud.clients.dynamodb.delete_item(TableName=cloud.settings.table_name, Key=item_key(f"{name}-3"))
    capture(5, headers={"X-Token": {"secretArn": given.secret_arn}})
    # A page has to wait for another one of its host.
    capture(6, 7, url=f"http://{given.site}/slow?seconds=2")
    cloud.clients.sqs.send_message(QueueUrl=cloud.settings.queue_url, MessageBody="no request")
    # A page that breaks is tried again.
    cloud.send(CaptureRequest(url=f"http://{given.site}/drop", request_id=f"{name}-8"))


def _wait_for_success(given: Deployment, request_id: str, worker: str) -> None:
    try:
        wait_for(lambda: given.cloud.record(request_id).status is Status.SUCCESS, SECONDS, request_id)
    except AssertionError:
        # What became of it is known by its record and by the worker's log alone, and both are gone after the test.
        log = (given.folder / f"{worker}.log").read_text(errors="replace")
        print(given.cloud.record(request_id), log[-LOG_CHARACTERS:], sep="\n")
        raise


def send(given: Deployment) -> list[RecordedCall]:
    """A producer sends a request, and asks what became of it."""
    request = ("https://example.com/", "--request-id", "sent")
    return _run(given, "send", ("send", *OF_STACK, *request), ("status", *OF_STACK, "sent"))


def use_api(given: Deployment) -> list[RecordedCall]:
    """Callers of the API send, look, fetch and retry, after workers have worked."""
    recording = given.recording("api")
    cloud = given.cloud
    cloud.send(CaptureRequest(url="https://example.com/", request_id=FAILED))
    cloud.clients.dynamodb.update_item(
        TableName=cloud.settings.table_name,
        Key=item_key(FAILED),
        UpdateExpression="SET #status = :failed, indexShard = :shard",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues=to_attributes(
            {":failed": Status.FAILED, ":shard": index_shard(Status.FAILED, FAILED)}
        ),
    )
    limits = Limits(per_minute=100, per_day=100, usd_per_month=1)
    key, _ = KeyStore(cloud.clients, cloud.settings).create("acme", limits)
    exports = {**cloud.exports, **recording.exports, "STILLFRAME_LINK_SECRET": given.link_secret_arn}
    exports |= {API_KEY: key.text, LINK: SignedLink(url="https://example.com/", expires=10**10).path(b"k")}
    for authorisation in ("gateway", "key"):
        _run_module("tests.support.api_calls", {**exports, "STILLFRAME_API_AUTHORISATION": authorisation})
    return recording.calls()


def _run_module(module: str, exports: Mapping[str, str]) -> None:
    variables = {**exports, "PYTHONPATH": f"{exports['PYTHONPATH']}:{ROOT}"}
    run = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]


def notify(given: Deployment) -> list[RecordedCall]:
    """The notifier and its event source read the stream, after workers have worked, with a record that is odd."""
    recording, cloud = given.recording("notifier"), given.cloud
    odd: Any = {"id": {"S": "odd"}, "status": {"S": Status.SUCCESS}, "width": {"S": "wide"}}
    told: Any = {"id": {"S": "told"}, "status": {"S": Status.SUCCESS}, "webhook": to_attributes({"w": HOOK})["w"]}
    for item in (odd, told):
        cloud.clients.dynamodb.put_item(TableName=cloud.settings.table_name, Item=item)
    _run_module("tests.support.stream_source", {**cloud.exports, **recording.exports})
    for name in ("odd", "told"):
        cloud.clients.dynamodb.delete_item(TableName=cloud.settings.table_name, Key=item_key(name))
    return recording.calls()


def tell_of_days(given: Deployment) -> list[RecordedCall]:
    """The function of digests tells of the day before, of a watch of which nothing was captured."""
    recording, cloud = given.recording("digests"), given.cloud
    declared = Declared.of("shop", {"urls": ["https://example.com/"], "every": "1h"})
    WatchStore(cloud.clients, cloud.settings, FakeClock(SystemClock().now_ms() - 3 * DAY_MS)).declare(declared)
    exports = {**cloud.exports, **recording.exports, "STILLFRAME_WEBHOOK_URL": HOOK_URL}
    _run_module("tests.support.digest_source", {**exports, "STILLFRAME_WEBHOOK_EVENTS": "digest"})
    return recording.calls()


def call_webhooks(given: Deployment) -> list[RecordedCall]:
    """The function of webhooks and its event source: one that arrives, one that fails, and one that is given up."""
    recording, cloud = given.recording("webhooks"), given.cloud
    outbox = WebhookOutbox(cloud.clients.sqs, cloud.exports["WEBHOOK_QUEUE_URL"])
    with receiving("whsec_aaaa", lambda received: (STATUSES[received.path], {}, b"")) as receiver:
        for path in STATUSES:
            record = Record(id=path.strip("/"), status=Status.SUCCESS, webhook=Webhook(url=receiver.url(path)))
            assert outbox.send([Event("evt_1", EventKind.CAPTURED, 0, record)]) == set()
        cloud.clients.sqs.send_message(QueueUrl=cloud.exports["WEBHOOK_QUEUE_URL"], MessageBody="not a webhook")
        exports = {**cloud.exports, **recording.exports, "STILLFRAME_ALLOW_HOSTS": receiver.address}
        _run_module("tests.support.webhook_source", exports)
    return recording.calls()


def read(given: Deployment) -> list[RecordedCall]:
    """A reader looks at records and images, after workers have worked, and at a lost image."""
    cloud = given.cloud
    lost = cloud.record("task-2").s3_key or ""
    cloud.clients.s3.delete_object(Bucket=cloud.settings.bucket_name, Key=lost)
    return _run(
        given,
        "read",
        ("status", *OF_STACK, "task-1"),
        ("list", *OF_STACK),
        ("list", *OF_STACK, "--status", "failed"),
        ("get", *OF_STACK, "task-1", "--out", str(given.folder / "image.png")),
        ("monitor", *OF_STACK, "--once"),
        ("webhooks", *OF_STACK, "webhook"),
        ("keys", "list", *OF_STACK),
        ("keys", "usage", *OF_STACK),
        # Its exit status says that it has found the lost image.
        ("audit", *OF_STACK),
    )


def operate(given: Deployment) -> list[RecordedCall]:
    """Whoever is on call looks at the deployment, sends again what failed, and scales function and fleet."""
    cloud = given.cloud
    cloud.send(CaptureRequest(url=f"http://{given.site}/", request_id="again"))
    letter = CaptureRequest(url=f"http://{given.site}/", request_id="letter").to_body()
    cloud.clients.sqs.send_message(QueueUrl=cloud.settings.dead_letter_queue_url, MessageBody=letter)
    calls = _run(
        given,
        "operate",
        ("doctor", *OF_STACK),
        ("retry", *OF_STACK, "again"),
        ("keys", "create", "--tenant", "acme", *OF_STACK),
        ("redrive", *OF_STACK, "--list"),
        ("redrive", *OF_STACK),
        ("redrive", *OF_STACK, "--webhooks", "--list"),
        ("redrive", *OF_STACK, "--webhooks"),
        ("webhook-keys", *OF_STACK, "--rotate"),
        ("scale", *OF_STACK, "--max-concurrency", "50", "--reserved-concurrency", "60", "--pause", "--yes"),
        ("scale", *OF_STACK, "--reset", "--yes"),
        ("scale", "--function", FUNCTION),
    )
    of_fleet = ("scale", "--cluster", CLUSTER, "--service", SERVICE)
    return calls + _run(
        given,
        "scale",
        (*of_fleet, "--tasks", "12", "--min-tasks", "10", "--max-tasks", "60", "--yes"),
        exports=given.fleet_exports,
    )


def _run(
    given: Deployment, name: str, *commands: tuple[str, ...], exports: Mapping[str, str] | None = None
) -> list[RecordedCall]:
    """Run the commands with nothing but credentials, as somebody who names the deployment by its stack."""
    recording = given.recording(name)
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION")
    chosen = exports or {each: given.cloud.exports[each] for each in names if each in given.cloud.exports}
    for command in commands:
        run = subprocess.run(
            [*STILLFRAME, *command],
            cwd=ROOT,
            env=environment({**chosen, **recording.exports}),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert run.returncode == 0 or command[0] in ("audit", "doctor"), f"{command}: {run.stderr}"
        assert "Traceback" not in run.stderr, run.stderr
    return recording.calls()
