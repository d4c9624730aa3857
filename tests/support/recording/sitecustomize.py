"""Records the AWS calls of a process with this folder on PYTHONPATH: Python imports a `sitecustomize` at its start.

A call is written to the file that RECORDED_CALLS names, as one line of JSON, when its answer has come ("Extensibility
guide" of Boto3: events `before-parameter-build`, `after-call` and `after-call-error`).
"""

from __future__ import annotations

import json
import os
from typing import Any

# What tells the resource of a call. Nothing else is written: parameters also contain images and messages.
NAMES = (
    "QueueUrl", "TableName", "IndexName", "Bucket", "Key", "IfMatch", "FunctionName", "UUID", "SecretId", "StackName",
    "TopicArn", "cluster", "service", "services", "ServiceNamespace", "ResourceId",
)  # fmt: skip
NOTE = "recorded_call"
STREAM: dict[str, str] = {}


def leading_key(key: dict[str, Any]) -> str:
    """The prefix of an item's key, by which policies tell keys of tenants from records."""
    prefix, mark, _ = key["id"]["S"].partition("#")
    return str(prefix + mark if mark else "record")


def note(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """Keep what identifies a call until its answer comes."""
    # The key of an item in DynamoDB is a dictionary, that of an object a text.
    found = {name: params[name] for name in NAMES if isinstance(params.get(name), str | list)}
    if "StreamArn" in params:
        found["StreamArn"] = STREAM["StreamArn"] = params["StreamArn"]
    if "ShardIterator" in params:
        # An iterator is of the stream that it was asked for.
        found |= STREAM
    if model.name == "PutEvents":
        found["EventBusNames"] = sorted({entry["EventBusName"] for entry in params["Entries"]})
    if isinstance(params.get("Key"), dict):
        found["LeadingKey"] = leading_key(params["Key"])
    if "TransactItems" in params:
        updates = [each["Update"] for each in params["TransactItems"]]
        found["Updates"] = [[each["TableName"], leading_key(each["Key"])] for each in updates]
    if "RequestItems" in params:
        found["TableNames"] = list(params["RequestItems"])
    context[NOTE] = {"service": model.service_model.service_name, "operation": model.name, "parameters": found}


def write(context: dict[str, Any], parsed: dict[str, Any] | None = None, **_: Any) -> None:
    """Append the call. The status is 0 when there was no answer."""
    answer = parsed or {}
    call = {**context[NOTE], "status": answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)}
    descriptor = os.open(os.environ["RECORDED_CALLS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, json.dumps(call).encode() + b"\n")
    finally:
        os.close(descriptor)


def record_every_client() -> None:
    """Add the hooks to each client that any session creates."""
    from botocore.session import Session

    create: Any = Session.create_client

    def create_client(self: Session, *args: Any, **kwargs: Any) -> Any:
        client = create(self, *args, **kwargs)
        client.meta.events.register_first("before-parameter-build", note)
        client.meta.events.register_last("after-call", write)
        client.meta.events.register_last("after-call-error", write)
        return client

    Session.create_client = create_client  # type: ignore[method-assign]


if os.environ.get("RECORDED_CALLS"):
    record_every_client()
