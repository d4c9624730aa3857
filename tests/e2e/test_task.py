"""The image as a task of the fleet runs it: read-only, unprivileged, with the volume that Fargate mounts at /tmp."""

from __future__ import annotations

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from tests.support.cloud import Cloud
from tests.support.docker import docker, task
from tests.support.pixels import GREEN, Pixels
from tests.support.workers import wait_for

CONSUME = ("stillframe", "consume", "--continuous", "--log-format", "json")


def test_a_task_captures_with_the_volume_that_fargate_mounts(
    image: str, container_cloud: Cloud, container_site: str
) -> None:
    # Given a message, and a task that has only its volume to write to
    container_cloud.send(CaptureRequest(url=f"http://{container_site}/colour?hex=00aa00", request_id="from-a-task"))
    with task(image, container_cloud.exports, *CONSUME) as container:
        # When it consumes the queue
        def is_captured() -> bool:
            found = container_cloud.find_record("from-a-task")
            return found is not None and found.status is Status.SUCCESS

        wait_for(is_captured, 60, "the capture")
        # Then the image is stored, and the volume is the image's own user's
        assert Pixels(container_cloud.image("from-a-task")).is_all(GREEN)
        assert docker("exec", container, "stat", "--format", "%u %a", "/tmp") == "65534 1777"
