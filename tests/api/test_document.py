"""The running API does what its OpenAPI document says, whatever is sent (schemathesis, all checks, stateful)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stillframe.request.capture_request import CaptureRequest
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
    # When schemathesis sends what the document allows and what it does not, and follows its links
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run"]
    command += [f"{client.url}/openapi.json", "--seed", str(seed)]
    variables = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.list_check"}
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=MAX_SECONDS, check=False
    )
    # Then no check fails
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "Stateful" in done.stdout
