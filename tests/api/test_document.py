"""The running API does what its OpenAPI document says, whatever is sent (schemathesis, all checks, stateful)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.limits import Limits
from tests.support.cloud import Cloud
from tests.support.workers import ROOT

from .conftest import Client
from .records import succeed

CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
MAX_SECONDS = 150


@pytest.mark.parametrize("seed", [24])
def test_every_answer_is_documented_and_none_is_a_server_error(client: Client, cloud: Cloud, seed: int) -> None:
    # Given an API with a captured screenshot, whose id is an example of the document
    cloud.send(CaptureRequest(url="https://example.com/", request_id="order-42", options={"fullPage": True}))
    succeed(cloud, "order-42")
    # When it is examined, then no check fails
    examine(client, seed)


@pytest.mark.parametrize("seed", [24])
def test_the_same_holds_for_the_holder_of_a_key(locked: Client, cloud: Cloud, key_store: KeyStore, seed: int) -> None:
    # Given an API that wants keys, with a captured screenshot of a tenant
    request = CaptureRequest(
        url="https://example.com/", request_id="acme:order-42", options={"fullPage": True}, tenant="acme"
    )
    cloud.send(request)
    succeed(cloud, "acme:order-42")
    key, _ = key_store.create("acme", Limits(per_minute=50_000, per_day=100_000, usd_per_month=5))
    # When it is examined by the tenant, then no check fails, also none that leaves the key out
    examine(locked, seed, "--header", f"Authorization: Bearer {key.text}")
    document = Client(locked.url, key.text).get("/openapi.json").json
    assert document["security"] == [{"key": []}]
    assert [path for path, each in document["paths"].items() if each.get("get", {}).get("security") == []] == [
        "/v1/i/{payload}/{signature}"
    ]


def examine(client: Client, seed: int, *options: str) -> None:
    """Run schemathesis."""
    # When schemathesis sends what the document allows and what it does not, and follows its links
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run"]
    command += [f"{client.url}/openapi.json", "--seed", str(seed), *options]
    variables = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.list_check"}
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=MAX_SECONDS, check=False
    )
    # Then no check fails
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "Stateful" in done.stdout
