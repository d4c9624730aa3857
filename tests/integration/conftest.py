"""Fixtures that several of these tests use."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from stillframe_cli.emulator import Emulator, running_emulator
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.post import Post
from tests.support.receiver import Receiver, receiving
from tests.support.workers import Fleet, fleet, wait_for

PUBLISHING = {"STILLFRAME_PUBLISH_METRICS": "true"}


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path) as running:
        yield running


@pytest.fixture
def function() -> Iterator[tuple[Emulator, str]]:
    """A function with a queue as its event source, in an emulator with every service."""
    with running_emulator(services="") as emulator:
        emulator.use_in_this_process()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("index.py", "def handler(event, context): return {}\n")
        aws: Any = boto3
        queue = aws.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        arn = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
        client = aws.client("lambda")
        client.create_function(
            FunctionName="renderer",
            Runtime="python3.11",
            Role="arn:aws:iam::000000000000:role/r",
            Handler="index.handler",
            Code={"ZipFile": archive.getvalue()},
        )
        client.put_function_concurrency(FunctionName="renderer", ReservedConcurrentExecutions=100)
        client.create_event_source_mapping(
            FunctionName="renderer",
            EventSourceArn=arn["QueueArn"],
            BatchSize=5,
            ScalingConfig={"MaximumConcurrency": 10},
        )
        yield emulator, "renderer"


@pytest.fixture
def consumers(make_cloud: MakeCloud, tmp_path: Path, chromium: str) -> Iterator[tuple[Cloud, Fleet]]:
    """Three running consumers that publish metrics."""
    cloud = make_cloud(**PUBLISHING)
    with fleet(tmp_path) as workers:
        for _ in range(3):
            workers.start(cloud.exports, "--continuous", "--tabs", "2")
        # Before they are ready, SIGTERM would kill them instead of draining them.
        wait_for(lambda: all(worker.is_ready for worker in workers.workers), what="three consumers")
        yield cloud, workers


@pytest.fixture
def post(cloud: Cloud) -> Post:
    return Post(cloud)


@pytest.fixture
def receiver(post: Post) -> Iterator[Receiver]:
    with receiving(post.key_of()) as receiver:
        post.allow(receiver.address)
        yield receiver
