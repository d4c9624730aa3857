"""The health check of the image: what Docker says of a consumer that works, and of one that cannot."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from typing import Any

from tests.support.cloud import Cloud
from tests.support.docker import AS_LAMBDA, docker
from tests.support.workers import wait_for


@contextlib.contextmanager
def consumer(image: str, cloud: Cloud, **variables: str) -> Iterator[str]:
    """A container with a consumer, whose health is checked every second."""
    name = f"stillframe-health-{secrets.token_hex(4)}"
    values = {**cloud.exports, **variables}
    environment = [part for key, value in values.items() for part in ("--env", f"{key}={value}")]
    # Zero would mean that of the image, in which no failure counts.
    often = ("--health-interval", "1s", "--health-start-period", "1ms", "--health-retries", "2")
    command = ("stillframe", "consume", "--continuous", "--log-format", "json")
    docker("run", "--detach", "--name", name, *AS_LAMBDA, *often, *environment, image, *command)
    try:
        yield name
    finally:
        docker("rm", "--force", name)


def health(container: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(docker("inspect", "--format", "{{json .State.Health}}", container))
    return state


def wait_for_status(container: str, status: str) -> None:
    """Fails with the health and the log of the container."""
    try:
        wait_for(lambda: health(container)["Status"] == status, 60, status)
    except AssertionError as error:
        raise AssertionError(f"{error}: {health(container)}, {docker('logs', container)}") from error


def test_a_consumer_that_works_is_healthy(image: str, container_cloud: Cloud) -> None:
    with consumer(image, container_cloud) as container:
        wait_for_status(container, "healthy")


def test_a_consumer_that_cannot_work_is_unhealthy_and_says_why(image: str, container_cloud: Cloud) -> None:
    # Given a consumer of which the bucket is missing
    with consumer(image, container_cloud, BUCKET_NAME="bucket-of-nobody") as container:
        # When its health is checked, then it is unhealthy, with the reason
        wait_for_status(container, "unhealthy")
        assert "NoSuchBucket" in health(container)["Log"][-1]["Output"]


def test_the_doctor_examines_the_container_and_its_deployment(image: str, container_cloud: Cloud) -> None:
    # Given the image under the conditions of Lambda, and the variables of a worker whose jobs fit its queue
    variables = {**container_cloud.exports, "STILLFRAME_JOB_DEADLINE_SECONDS": "20"}
    environment = [part for key, value in variables.items() for part in ("--env", f"{key}={value}")]
    # When it is examined
    output = docker("run", "--rm", *AS_LAMBDA, *environment, image, "stillframe", "doctor", "--json")
    found = {line["subject"]: line for line in map(json.loads, output.splitlines())}
    # Then it has all that a capture needs, fonts included
    for subject in ("browser", "fonts", "memory", "queue", "table", "bucket", "messages"):
        assert found[subject]["verdict"] == "ok", found[subject]
