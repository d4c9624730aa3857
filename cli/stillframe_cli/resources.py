"""How commands find their queue, table and bucket: from options, then the environment, then stack outputs."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
import click
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from stillframe.clients import Clients
from stillframe.settings import Settings, SettingsError

F = TypeVar("F", bound=Callable[..., Any])

# Name of the option, environment variable, stack output.
RESOURCES = (
    ("queue_url", "QUEUE_URL", "QueueUrl"),
    ("dead_letter_queue_url", "DEAD_LETTER_QUEUE_URL", "DeadLetterQueueUrl"),
    ("table_name", "TABLE_NAME", "TableName"),
    ("bucket_name", "BUCKET_NAME", "BucketName"),
)

# Settings in which the command line must agree with the workers: environment variable, stack output.
SHARED_SETTINGS = (
    ("STILLFRAME_KEY_PREFIX", "KeyPrefix"),
    ("STILLFRAME_MAX_RECEIVE_COUNT", "MaxReceiveCount"),
    ("STILLFRAME_RECORD_RETENTION_DAYS", "RecordRetentionDays"),
    ("STILLFRAME_SERVICE", "Service"),
    ("WEBHOOK_QUEUE_URL", "WebhookQueueUrl"),
    ("WEBHOOK_DEAD_LETTER_QUEUE_URL", "WebhookDeadLetterQueueUrl"),
    ("WEBHOOK_SECRET_ARN", "WebhookSecretArn"),
    ("WATCH_GROUP", "WatchGroup"),
    ("WATCH_ROLE_ARN", "WatchRoleArn"),
)

# Names the deployment for all commands of a shell.
STACK_VARIABLE = "STILLFRAME_STACK"

stack_option = click.option(
    "--stack",
    metavar="STACK",
    envvar=STACK_VARIABLE,
    help=f"Use the resources that are outputs of this CloudFormation stack.  [env var: {STACK_VARIABLE}]",
)


def deployment_options(command: F) -> F:
    """Add the options that select a deployment. The command gets their values as `stack` and `from_options`."""

    @stack_option
    @click.option("--queue-url", metavar="URL", help="URL of the queue.  [env var: QUEUE_URL]")
    @click.option(
        "--dead-letter-queue-url",
        metavar="URL",
        help="URL of the dead-letter queue.  [env var: DEAD_LETTER_QUEUE_URL]",
    )
    @click.option("--table-name", metavar="NAME", help="Name of the table.  [env var: TABLE_NAME]")
    @click.option("--bucket-name", metavar="NAME", help="Name of the bucket.  [env var: BUCKET_NAME]")
    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        from_options = {option: kwargs.pop(option) for option, _, _ in RESOURCES}
        return command(*args, from_options=from_options, **kwargs)

    return wrapper  # type: ignore[return-value]


def resource_options(command: F) -> F:
    """Add the options that select a deployment. The command gets `settings` and `clients` in their place."""

    @deployment_options
    @functools.wraps(command)
    def wrapper(*args: Any, stack: str | None, from_options: dict[str, str | None], **kwargs: Any) -> Any:
        return command(*args, settings=find_settings(stack, from_options), clients=Clients.connect(), **kwargs)

    return wrapper  # type: ignore[return-value]


def is_selected(stack: str | None, from_options: Mapping[str, str | None] | None = None) -> bool:
    """Whether options or the environment name a deployment, or a part of one."""
    given = from_options or {}
    return bool(stack) or any(given.get(option) or os.environ.get(variable) for option, variable, _ in RESOURCES)


def find_settings(stack: str | None, from_options: dict[str, str | None]) -> Settings:
    """Return settings with every resource filled in. Raises SettingsError that names the missing variables.

    An option is what somebody has just written, so it takes precedence over the environment, and so does the stack that
    an option names. The stack's settings also hold, unless the environment has others.
    """
    is_complete = all(from_options.get(option) for option, _, _ in RESOURCES)
    outputs = stack_outputs(stack) if stack and not is_complete else {}
    found: dict[str, str] = {}
    for option, variable, output in RESOURCES:
        value = from_options.get(option) or (outputs.get(output) if stack else os.environ.get(variable))
        if value:
            found[variable] = value
    for variable, output in SHARED_SETTINGS:
        if output in outputs and not os.environ.get(variable):
            found[variable] = outputs[output]
    missing = ", ".join(variable for _, variable, _ in RESOURCES if variable not in found)
    if missing and stack:
        raise SettingsError(f"--stack {stack}: the outputs of this stack do not include {missing}")
    if missing:
        raise SettingsError(
            f"No deployment selected: use --stack, or start `stillframe dev` and set the variables that it prints "
            f"(not set: {missing})."
        )
    return Settings.from_environment(**found)


def is_on_this_machine(settings: Settings) -> bool:
    """Whether the services are an emulator on loopback."""
    return urlsplit(settings.queue_url).hostname in ("127.0.0.1", "localhost", "::1")


def describe_place(settings: Settings) -> str:
    """The account and the region of a deployment, by the URL of its queue: `https://sqs.REGION.../ACCOUNT/NAME`."""
    parts = urlsplit(settings.queue_url)
    if is_on_this_machine(settings):
        return f"the emulator on {parts.netloc}"
    host, account = (parts.hostname or "").split("."), parts.path.strip("/").partition("/")[0]
    region = host[1] if host[0] == "sqs" and len(host) > 2 else parts.netloc
    return f"account {account}, region {region}"


def stack_outputs(stack: str) -> dict[str, str]:
    """Return the outputs of the stack and of the storage stack that belongs to it; one of them may be missing.

    Raises SettingsError when there are no outputs.
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
        except ResponseParserError as error:
            raise SettingsError(_without_stacks(stack)) from error
        outputs |= {item["OutputKey"]: item["OutputValue"] for item in description.get("Outputs", [])}
    if not outputs:
        raise SettingsError(f"--stack {stack}: {problem or 'the stack has no outputs'}")
    return outputs


def _without_stacks(stack: str) -> str:
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "the endpoint")
    return (
        f"--stack {stack}: {endpoint} has no stacks. For a stack in an account, unset AWS_ENDPOINT_URL and the other "
        "variables of `stillframe dev`; for its environment, leave --stack out."
    )
