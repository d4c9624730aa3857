"""Which permissions a call needs: IAM's actions and resources, from the "Service Authorization Reference" of AWS.

Each page, "Actions, resources, and condition keys for Amazon SQS" and so on, lists an operation's actions and the form
of the resource's ARN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .recorded_calls import RecordedCall

PARTITION, REGION = "aws", "us-east-1"
NO_RESOURCE = "*"
# Batches have no action of their own ("Amazon SQS API permissions: Actions and resource reference").
QUEUE_ACTIONS = {
    "SendMessage": "SendMessage",
    "SendMessageBatch": "SendMessage",
    "ReceiveMessage": "ReceiveMessage",
    "DeleteMessage": "DeleteMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibility": "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "GetQueueAttributes": "GetQueueAttributes",
}
TABLE_OPERATIONS = {"GetItem", "UpdateItem", "Query", "Scan", "PutItem", "DeleteItem"}
FUNCTION_OPERATIONS = {
    "GetFunctionConcurrency",
    "PutFunctionConcurrency",
    "DeleteFunctionConcurrency",
    "GetFunctionConfiguration",
}
WITHOUT_RESOURCE = {
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "cloudwatch:DescribeAlarms",
    "lambda:GetAccountSettings",
    "lambda:ListEventSourceMappings",
    "application-autoscaling:DescribeScalableTargets",
}


@dataclass(frozen=True, slots=True)
class Permission:
    """An action on a resource, with the condition keys that the call has."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


def arn(service: str, account: str, resource: str) -> str:
    """The ARN of a resource. Those of S3 have neither region nor account, and those of IAM have no region."""
    place = {"s3": ":", "iam": f":{account}"}.get(service, f"{REGION}:{account}")
    return f"arn:{PARTITION}:{service}:{place}:{resource}"


def needed(call: RecordedCall, account: str) -> list[Permission]:
    """What the call needs. Raises NotImplementedError for an operation that is not known here."""
    found = list(_needed(call, account))
    # STS: "No permissions are required to perform this operation" (GetCallerIdentity).
    if not found and call.name != "sts:GetCallerIdentity":
        raise NotImplementedError(f"the permissions of {call.name}")
    return found


def _needed(call: RecordedCall, account: str) -> Iterator[Permission]:
    given, operation = call.parameters, call.operation
    if call.name in WITHOUT_RESOURCE:
        yield Permission(call.name, NO_RESOURCE)
    elif call.service == "sqs" and operation in QUEUE_ACTIONS:
        queue = given["QueueUrl"].rpartition("/")[2]
        yield Permission(f"sqs:{QUEUE_ACTIONS[operation]}", arn("sqs", account, queue))
    elif call.service == "dynamodb" and operation in TABLE_OPERATIONS:
        index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
        context = {"dynamodb:LeadingKeys": given["LeadingKey"]} if "LeadingKey" in given else {}
        yield Permission(call.name, arn("dynamodb", account, f"table/{given['TableName']}{index}"), context)
    elif call.name == "dynamodb:TransactWriteItems":
        # "DynamoDB API operations permissions": those of the operations that the transaction consists of.
        for table, key in given["Updates"]:
            context = {"dynamodb:LeadingKeys": key}
            yield Permission("dynamodb:UpdateItem", arn("dynamodb", account, f"table/{table}"), context)
    elif call.name == "dynamodb:BatchGetItem":
        for table in given["TableNames"]:
            yield Permission(call.name, arn("dynamodb", account, f"table/{table}"))
    elif call.service == "dynamodbstreams":
        table = given["TableName"] if "TableName" in given else given["StreamArn"].split("/")[1]
        yield Permission(f"dynamodb:{operation}", arn("dynamodb", account, f"table/{table}/stream/its-label"))
    elif call.name == "events:PutEvents":
        for bus in given["EventBusNames"]:
            yield Permission(call.name, arn("events", account, f"event-bus/{bus}"))
    elif call.service == "s3":
        yield from _needed_of_s3(call, account)
    elif call.service == "lambda":
        yield from _needed_of_lambda(call, account)
    elif call.service in ("ecs", "application-autoscaling"):
        yield from _needed_of_fleet(call, account)
    elif call.name == "cloudformation:DescribeStacks":
        yield Permission(call.name, arn("cloudformation", account, f"stack/{given['StackName']}/its-id"))
    elif call.name == "sns:ListSubscriptionsByTopic":
        yield Permission(call.name, given["TopicArn"])
    elif call.name in ("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"):
        yield Permission(call.name, given["SecretId"])


def _needed_of_s3(call: RecordedCall, account: str) -> Iterator[Permission]:
    bucket = arn("s3", account, call.parameters["Bucket"])
    stored = f"{bucket}/{call.parameters.get('Key', '')}"
    if call.operation in ("GetObject", "HeadObject"):
        yield Permission("s3:GetObject", stored)
        if call.status == 404:
            # HeadObject, "Permissions": without it, the answer about an object that does not exist is 403.
            yield Permission("s3:ListBucket", bucket)
    elif call.operation == "PutObject":
        yield Permission("s3:PutObject", stored)
        if "IfMatch" in call.parameters:
            # "How to prevent object overwrites with conditional writes": If-Match needs both.
            yield Permission("s3:GetObject", stored)
    elif call.operation == "ListObjectVersions":
        yield Permission("s3:ListBucketVersions", bucket)


def _needed_of_lambda(call: RecordedCall, account: str) -> Iterator[Permission]:
    if call.operation in FUNCTION_OPERATIONS:
        yield Permission(call.name, arn("lambda", account, f"function:{call.parameters['FunctionName']}"))
    elif call.operation in ("GetEventSourceMapping", "UpdateEventSourceMapping"):
        yield Permission(call.name, arn("lambda", account, f"event-source-mapping:{call.parameters['UUID']}"))


def _needed_of_fleet(call: RecordedCall, account: str) -> Iterator[Permission]:
    given = call.parameters
    if call.service == "ecs" and call.operation in ("DescribeServices", "UpdateService"):
        for name in given.get("services") or [given["service"]]:
            yield Permission(call.name, arn("ecs", account, f"service/{given['cluster']}/{name}"))
    elif call.operation == "RegisterScalableTarget":
        yield Permission(call.name, arn("application-autoscaling", account, "scalable-target/its-id"))
        # "IAM permissions required for Amazon ECS service auto scaling": these of the service as well.
        for action in ("ecs:DescribeServices", "ecs:UpdateService"):
            yield Permission(action, arn("ecs", account, given["ResourceId"]))
