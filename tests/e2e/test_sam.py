"""`sam local invoke` of the built image, with the template and the events in the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cloud import Cloud
from tests.support.docker import script
from tests.support.pixels import GREEN, Pixels
from tests.support.workers import ROOT

EVENTS = ROOT / "events"


@pytest.fixture
def env_vars(image: str, container_cloud: Cloud, tmp_path: Path) -> Path:
    """Builds the image as SAM needs it; gives the file for --env-vars with every variable of the template."""
    built = script("image", "stillframe:sam", "sam")
    assert built.returncode == 0, built.stderr[-3000:]
    path = tmp_path / "env.json"
    path.write_text(json.dumps({"Renderer": {**container_cloud.exports, "LOG_LEVEL": "INFO"}}))
    return path


def invoke(event: Path, env_vars: Path) -> dict[str, object]:
    done = script(
        "sam", "local", "invoke", "Renderer", "--template", str(EVENTS / "template.yaml"), "--event", str(event),
        "--env-vars", str(env_vars), "--skip-pull-image",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    response: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return response


def test_a_batch_of_three_gives_the_right_partial_response(
    image: str, rie: Path, container_cloud: Cloud, container_site: str, env_vars: Path, tmp_path: Path
) -> None:
    # Given the event of three messages (one valid, one malformed, one for an unknown host), and a page to capture
    event = json.loads((EVENTS / "batch.json").read_text())
    good, malformed, missing_host = event["Records"]
    body = json.loads(good["body"]) | {"url": f"http://{container_site}/colour?hex=00aa00"}
    good["body"] = json.dumps(body)
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event))
    # When the image is invoked with it
    response = invoke(path, env_vars)
    # Then none is to be delivered again: one is captured, one dead-lettered, one recorded as failed
    assert response == {"batchItemFailures": []}
    pixels = Pixels(container_cloud.image("sample-good"))
    assert (pixels.size, pixels.is_all(GREEN)) == ((1280, 800), True)
    (letter,) = container_cloud.dead_letters()
    assert (letter["Body"], letter["MessageAttributes"]["errorCode"]["StringValue"]) == (
        malformed["body"],
        "UNPARSABLE_BODY",
    )
    record = container_cloud.record(json.loads(missing_host["body"])["requestId"])
    assert (record.status.value, record.error_code) == ("failed", "UNKNOWN_HOST")
    assert container_cloud.audit().is_clean


def test_a_message_that_may_succeed_later_is_reported(
    image: str, rie: Path, container_cloud: Cloud, container_site: str, env_vars: Path, tmp_path: Path
) -> None:
    # Given the event of one message, for a page that drops connections
    event = json.loads((EVENTS / "one.json").read_text())
    (record,) = event["Records"]
    record["body"] = json.dumps({"url": f"http://{container_site}/drop"})
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event))
    # Then its message is the only batch item failure
    assert invoke(path, env_vars) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
