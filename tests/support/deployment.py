"""What a deployment consists of, on emulators: storage, function, stacks with outputs, and a fleet to scale."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from stillframe_cli.emulator import running_emulator
from stillframe_cli.provision import QueuePolicy, provision
from stillframe_cli.webhook_provision import provision_webhooks

from .cloud import Cloud
from .recorded_calls import Recording

STACK, FUNCTION, TOPIC, CLUSTER, SERVICE = "Stillframe", "renderer", "alarms", "stillframe", "consumers"
FAILURES = "notifier-failures"
VISIBILITY_SECONDS = 30


@dataclass(frozen=True)
class Deployment:
    """A deployment, and the folder for what its users record."""

    cloud: Cloud
    secret_arn: str
    link_secret_arn: str
    topic_arn: str
    mapping_id: str
    # Application Auto Scaling is in another emulator, where the fleet is.
    fleet_exports: Mapping[str, str]
    site: str
    folder: Path

    @property
    def webhooks(self) -> dict[str, str]:
        """The variables that name queue, dead-letter queue and secret of webhooks."""
        return {name: value for name, value in self.cloud.exports.items() if name.startswith("WEBHOOK_")}

    @property
    def account(self) -> str:
        return self.cloud.exports["AWS_ACCESS_KEY_ID"]

    @property
    def names(self) -> dict[str, str]:
        """The names of the resources, by their logical ids in the templates."""
        settings = self.cloud.settings
        return {
            "CaptureQueue": settings.queue_url.rpartition("/")[2],
            "DeadLetterQueue": settings.dead_letter_queue_url.rpartition("/")[2],
            "Records": settings.table_name,
            "Images": settings.bucket_name,
            "RendererFunction": FUNCTION,
            "RendererFromQueue": self.mapping_id,
            "NotifierFailures": FAILURES,
            "WebhooksQueue": self.webhooks["WEBHOOK_QUEUE_URL"].rpartition("/")[2],
            "WebhooksDeadLetterQueue": self.webhooks["WEBHOOK_DEAD_LETTER_QUEUE_URL"].rpartition("/")[2],
            "WebhooksKeys": self.webhooks["WEBHOOK_SECRET_ARN"].rpartition(":secret:")[2],
            "AlarmsTopic": TOPIC,
            "ApiLinkKey": self.link_secret_arn.rpartition(":")[2],
            "FleetCluster": CLUSTER,
            "FleetService": f"{CLUSTER}/{SERVICE}",
        }

    def recording(self, name: str) -> Recording:
        return Recording(self.folder / f"{name}.jsonl")


@contextlib.contextmanager
def deployment(folder: Path, site: str, fleet_endpoint: str) -> Iterator[Deployment]:
    """Create a deployment that may capture the pages of a site, one at once, and send a secret to it."""
    with running_emulator(services="") as emulator:
        cloud = Cloud.create(emulator, QueuePolicy(VISIBILITY_SECONDS))
        provision(cloud.clients, QueuePolicy(VISIBILITY_SECONDS), cloud.settings.table_name, has_stream=True)
        cloud.exports |= provision_webhooks(cloud.clients, cloud.settings.table_name)
        failures = _client("sqs").create_queue(QueueName=FAILURES)["QueueUrl"]
        secret_arn = _client("secretsmanager").create_secret(Name="token", SecretString="t")["ARN"]
        link_secret_arn = _client("secretsmanager").create_secret(Name="links", SecretString="k")["ARN"]
        cloud.exports |= {
            "STILLFRAME_ALLOW_HOSTS": site,
            "STILLFRAME_EVENT_FAILURES_URL": failures,
            "STILLFRAME_PER_HOST": "1",
            "STILLFRAME_SECRETS": f"{secret_arn}@http://{site}",
        }
        topic_arn = _client("sns").create_topic(Name=TOPIC)["TopicArn"]
        mapping_id = _create_function(cloud)
        _create_stacks(cloud, topic_arn, mapping_id)
        fleet = _create_fleet(fleet_endpoint)
        yield Deployment(cloud, secret_arn, link_secret_arn, topic_arn, mapping_id, fleet, site, folder)


def _client(service: str) -> Any:
    aws: Any = boto3
    return aws.client(service)


def _create_function(cloud: Cloud) -> str:
    """Create the function and its event source. Returns the id of the latter."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", "def handler(event, context): return {}\n")
    client, account = _client("lambda"), cloud.exports["AWS_ACCESS_KEY_ID"]
    client.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.11",
        Role=f"arn:aws:iam::{account}:role/r",
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    # A queue of its own: the function on the emulator would take the messages of the workers.
    queue = _client("sqs").create_queue(QueueName="of-the-function")["QueueUrl"]
    attributes = _client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    mapping = client.create_event_source_mapping(
        FunctionName=FUNCTION, EventSourceArn=attributes["QueueArn"], ScalingConfig={"MaximumConcurrency": 10}
    )
    return str(mapping["UUID"])


def _create_stacks(cloud: Cloud, topic_arn: str, mapping_id: str) -> None:
    settings = cloud.settings
    storage = {
        "QueueUrl": settings.queue_url,
        "DeadLetterQueueUrl": settings.dead_letter_queue_url,
        "TableName": settings.table_name,
        "BucketName": settings.bucket_name,
    }
    render = {
        "FunctionName": FUNCTION,
        "EventSourceMapping": mapping_id,
        "MaxConcurrency": "7",
        "ReservedConcurrency": "0",
        "AlarmTopicArn": topic_arn,
        "WebhookQueueUrl": cloud.exports["WEBHOOK_QUEUE_URL"],
        "WebhookDeadLetterQueueUrl": cloud.exports["WEBHOOK_DEAD_LETTER_QUEUE_URL"],
        "WebhookSecretArn": cloud.exports["WEBHOOK_SECRET_ARN"],
    }
    for name, outputs in ((f"{STACK}-Storage", storage), (STACK, render)):
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {output: {"Value": value} for output, value in outputs.items()},
        }
        _client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def _create_fleet(endpoint: str) -> dict[str, str]:
    exports = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = dict(os.environ)
    os.environ.update(exports)
    try:
        ecs = _client("ecs")
        ecs.create_cluster(clusterName=CLUSTER)
        ecs.register_task_definition(
            family="consumer", containerDefinitions=[{"name": "consumer", "image": "stillframe", "memory": 512}]
        )
        ecs.create_service(cluster=CLUSTER, serviceName=SERVICE, taskDefinition="consumer", desiredCount=3)
        _client("application-autoscaling").register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{CLUSTER}/{SERVICE}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=3,
            MaxCapacity=20,
        )
    finally:
        os.environ.clear()
        os.environ.update(before)
    return exports
