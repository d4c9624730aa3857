"""How cloud commands find their queue, table and bucket: options, then environment, then stack outputs."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
import click
from botocore.exceptions import ClientError

from stillframe.clients import Clients
from stillframe.settings import Settings, SettingsError

F = TypeVar("F", bound=Callable[..., Any])

# Option, variable, output of the stack.
RESOURCES = (
    ("queue_url", "QUEUE_URL", "QueueUrl"),
    ("dead_letter_queue_url", "DEAD_LETTER_QUEUE_URL", "DeadLetterQueueUrl"),
    ("table_name", "TABLE_NAME", "TableName"),
    ("bucket_name", "BUCKET_NAME", "BucketName"),
)
HOW_TO_NAME = (
    "Name them with --stack STACK, with options (--queue-url, --dead-letter-queue-url, --table-name, --bucket-name), "
    "or in the environment: `stillframe dev` prints the exports of an embedded one."
)


def resource_options(command: F) -> F:
    """The options that name resources; the command gets one `settings` and one `clients`."""

    @click.option("--stack", metavar="STACK", help="CloudFormation stack whose outputs name the resources.")
    @click.option("--queue-url", metavar="URL")
    @click.option("--dead-letter-queue-url", metavar="URL")
    @click.option("--table-name", metavar="NAME")
    @click.option("--bucket-name", metavar="NAME")
    @functools.wraps(command)
    def wrapper(*args: Any, stack: str | None, **kwargs: Any) -> Any:
        named = {option: kwargs.pop(option) for option, _, _ in RESOURCES}
        return command(*args, settings=find_settings(stack, named), clients=Clients.connect(), **kwargs)

    return wrapper  # type: ignore[return-value]


def find_settings(stack: str | None, named: dict[str, str | None]) -> Settings:
    """Settings with the resources that were found. Raises SettingsError that says how to name them."""
    outputs: dict[str, str] = {}
    found: dict[str, str] = {}
    for option, variable, output in RESOURCES:
        value = named.get(option) or os.environ.get(variable)
        if not value and stack:
            outputs = outputs or stack_outputs(stack)
            value = outputs.get(output)
        if value:
            found[variable] = value
    missing = [variable for _, variable, _ in RESOURCES if variable not in found]
    if missing:
        raise SettingsError(f"not known: {', '.join(missing)}. {HOW_TO_NAME}")
    return Settings.from_environment(**found)


def is_on_this_machine(settings: Settings) -> bool:
    """Whether the services are an emulator on loopback."""
    return urlsplit(settings.queue_url).hostname in ("127.0.0.1", "localhost", "::1")


def stack_outputs(stack: str) -> dict[str, str]:
    """Outputs of the stack and of the storage stack that belongs to it, as far as there are such.

    Raises SettingsError when there is neither.
    """
    client: Any = boto3.client("cloudformation")
    outputs: dict[str, str] = {}
    problem = ""
    for name in (f"{stack}-Storage", stack):
        try:
            description = client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            problem = error.response["Error"]["Message"]
            continue
        outputs |= {item["OutputKey"]: item["OutputValue"] for item in description.get("Outputs", [])}
    if not outputs:
        raise SettingsError(f"--stack {stack}: {problem or 'it has no outputs'}")
    return outputs
