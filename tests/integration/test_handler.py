"""The function's entry point as Lambda calls it: an event in, batch item failures out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe_renderer import handler as entry
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.event_source import Context
from tests.support.events import event_of
from tests.support.execution_environment import new_environment
from tests.support.pixels import GREEN, Pixels


@pytest.fixture
def lambda_function(
    make_cloud: MakeCloud, site: str, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cloud]:
    """The module as in a new execution environment, with its settings in environment variables."""
    cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=site, STILLFRAME_TABS="2")
    variables = {**cloud.exports, "LAMBDA_TASK_ROOT": "/var/task", "LOG_LEVEL": "INFO"}
    with new_environment(monkeypatch, variables):
        yield cloud


@pytest.mark.filterwarnings("ignore:There is no current event loop:DeprecationWarning")
def test_one_bad_record_never_harms_its_batch(
    lambda_function: Cloud, site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a good request, an invalid body, an unknown host, and a page whose connection breaks
    cloud = lambda_function
    url = f"http://{site}/colour?hex=00aa00"
    bodies = [
        CaptureRequest(url=url, request_id="good").to_body(),
        "malformed",
        CaptureRequest(url="http://stillframe.invalid/", request_id="missing").to_body(),
        CaptureRequest(url=f"http://{site}/drop", request_id="dropped").to_body(),
    ]
    # When they arrive in one event
    response = entry.handler(event_of(*bodies), Context())  # type: ignore[arg-type]
    # Then only the one that may succeed later is reported
    assert response == {"batchItemFailures": [{"itemIdentifier": "message-3"}]}
    # And each has the right image, record or dead letter
    assert Pixels(cloud.image("good")).is_all(GREEN)
    # And its record has the cost of the capture
    record = cloud.record("good").to_wire()
    assert record["cpuMs"] > 10
    assert 10 < record["billedMs"] <= record["durationMs"]
    assert 0 < record["estimatedUsd"]["arm64"] < record["estimatedUsd"]["x86"] < 0.001
    statuses = {
        name: (cloud.record(name).status.value, cloud.record(name).error_code) for name in ("missing", "dropped")
    }
    assert statuses == {"missing": ("failed", "UNKNOWN_HOST"), "dropped": ("queued", "CONNECTION_RESET")}
    assert [letter["Body"] for letter in cloud.dead_letters()] == ["malformed"]
    # And there is one canonical log line for each, and all are counted
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    captures = {line["id"]: line for line in lines if line.get("message") == "capture"}
    metrics = {line["outcome"]: len(line["Captures"]) for line in lines if "Captures" in line}
    refused = [line["decision"] for line in lines if "RefusedConnections" in line]
    assert {name: line["outcome"] for name, line in captures.items()} == {
        "good": "captured",
        "message-1": "failed",
        "missing": "failed",
        "dropped": "retry",
    }
    assert {line["functionRequestId"] for line in captures.values()} == {"request-1"}
    assert (metrics, refused) == ({"captured": 1, "failed": 2, "retry": 1}, ["deny.unresolved"])
    # When a duplicate arrives in the warm environment, then it is skipped
    assert entry.handler(event_of(bodies[0]), Context()) == {"batchItemFailures": []}  # type: ignore[arg-type]
    assert "already_success" in capsys.readouterr().out


def test_missing_settings_fail_the_invocation_and_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    entry.worker.cache_clear()
    with pytest.raises(Exception, match="QUEUE_URL: is not set"):
        entry.handler(event_of("{}"), Context())  # type: ignore[arg-type]


def test_a_batch_in_which_every_record_fails_does_not_raise(lambda_function: Cloud, site: str) -> None:
    # If the invocation raised, the whole batch would return, and it would count as an error of the function.
    bodies = [CaptureRequest(url=f"http://{site}/drop?n={number}").to_body() for number in range(2)]
    response = entry.handler(event_of(*bodies), Context())  # type: ignore[arg-type]
    assert {each["itemIdentifier"] for each in response["batchItemFailures"]} == {"message-0", "message-1"}
