"""Creates queue, dead-letter queue, table and bucket in the embedded environment, as the stacks deploy them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from stillframe.clients import Clients
from stillframe.table.attributes import EXPIRES_AT, ID
from stillframe.table.record import (
    INDEX_NAME,
    INDEX_PARTITION_KEY,
    INDEX_SORT_KEY,
    TENANT_INDEX,
    TENANT_INDEX_PARTITION_KEY,
    TENANT_INDEX_SORT_KEY,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Name of the queue, the table and the bucket; the dead-letter queue adds a suffix.
DEFAULT_NAME = "stillframe"

DAY_SECONDS = 24 * 3600
ATTRIBUTES: Any = [
    {"AttributeName": ID, "AttributeType": "S"},
    {"AttributeName": INDEX_PARTITION_KEY, "AttributeType": "S"},
    {"AttributeName": TENANT_INDEX_PARTITION_KEY, "AttributeType": "S"},
    {"AttributeName": INDEX_SORT_KEY, "AttributeType": "N"},
]


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """When a message that is not acknowledged is delivered again, and when it becomes a dead letter."""

    visibility_timeout_seconds: int = 360
    max_receive_count: int = 5


def provision(
    clients: Clients, policy: QueuePolicy, name: str = DEFAULT_NAME, *, has_stream: bool = False
) -> dict[str, str]:
    """Create the resources that are missing. Returns the environment variables that name all of them. Idempotent.

    With `has_stream`, the table has the stream that the notifier reads.
    """
    dead_letter_url = create_queue(clients, f"{name}-dead-letters", {"MessageRetentionPeriod": str(14 * DAY_SECONDS)})
    attributes = clients.sqs.get_queue_attributes(QueueUrl=dead_letter_url, AttributeNames=["QueueArn"])["Attributes"]
    redrive = {"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": policy.max_receive_count}
    queue_url = create_queue(
        clients,
        name,
        {
            "MessageRetentionPeriod": str(7 * DAY_SECONDS),
            "VisibilityTimeout": str(policy.visibility_timeout_seconds),
            "RedrivePolicy": json.dumps(redrive),
        },
    )
    create_table(clients.dynamodb, name)
    if has_stream:
        _open_stream(clients.dynamodb, name)
    _create_bucket(clients, name)
    return {
        "QUEUE_URL": queue_url,
        "DEAD_LETTER_QUEUE_URL": dead_letter_url,
        "TABLE_NAME": name,
        "BUCKET_NAME": name,
        "STILLFRAME_MAX_RECEIVE_COUNT": str(policy.max_receive_count),
    }


def create_queue(clients: Clients, name: str, attributes: Any) -> str:
    """Create a queue unless it exists, and set its attributes. Returns its URL."""
    url = clients.sqs.create_queue(QueueName=name)["QueueUrl"]
    # Set separately: CreateQueue fails when the queue exists with other attributes, from an earlier run.
    clients.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url


def create_table(dynamodb: DynamoDBClient, name: str) -> None:
    """Create the table with its indexes and its time to live, or the indexes that an existing one does not have."""
    indexes = [
        _index(INDEX_NAME, INDEX_PARTITION_KEY, INDEX_SORT_KEY, "KEYS_ONLY"),
        _index(TENANT_INDEX, TENANT_INDEX_PARTITION_KEY, TENANT_INDEX_SORT_KEY, "ALL"),
    ]
    try:
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=ATTRIBUTES,
            KeySchema=[{"AttributeName": ID, "KeyType": "HASH"}],
            GlobalSecondaryIndexes=indexes,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
        _add_missing(dynamodb, name, indexes)
        return
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES_AT})


def _open_stream(dynamodb: DynamoDBClient, name: str) -> None:
    """A table that was made without its stream, maybe by an earlier version, gets it as well."""
    found = dynamodb.describe_table(TableName=name)["Table"].get("StreamSpecification", {})
    if not found.get("StreamEnabled"):
        dynamodb.update_table(
            TableName=name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        )


def _add_missing(dynamodb: DynamoDBClient, name: str, indexes: list[Any]) -> None:
    """Add the indexes that a table of an earlier version does not have."""
    existing = dynamodb.describe_table(TableName=name)["Table"].get("GlobalSecondaryIndexes", [])
    names = {each["IndexName"] for each in existing}
    for index in indexes:
        if index["IndexName"] not in names:
            change: Any = [{"Create": index}]
            dynamodb.update_table(TableName=name, AttributeDefinitions=ATTRIBUTES, GlobalSecondaryIndexUpdates=change)


def _index(name: str, partition_key: str, sort_key: str, projection: str) -> Any:
    return {
        "IndexName": name,
        "KeySchema": [
            {"AttributeName": partition_key, "KeyType": "HASH"},
            {"AttributeName": sort_key, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": projection},
    }


def _create_bucket(clients: Clients, name: str) -> None:
    try:
        clients.s3.create_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    # A second write of an object would be a second version, which the audit looks for.
    clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
