"""Examines a deployment from this machine: credentials, clock, permissions, and how the queue is set."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from stillframe.aws_errors import error_code
from stillframe.clients import Clients
from stillframe.errors import CaptureError
from stillframe.image.store import ImageStore
from stillframe.queue import CaptureQueue
from stillframe.queue_settings import ATTRIBUTES, QueueSettings
from stillframe.settings import Settings, SettingsError
from stillframe.table.table import Table

from .diagnosis import Diagnosis, Verdict

# AWS refuses requests that are signed with a time further off ("Signature Version 4", request expiry).
MAX_SKEW_SECONDS = 300
# The header has whole seconds, and the answer takes some time.
MIN_SKEW_SECONDS = 2
TIMEOUT_SECONDS = 5
SET_CLOCK = "synchronise the clock (chrony, systemd-timesyncd)"
# "Common error types" of STS: these credentials are accepted nowhere.
REFUSED_CREDENTIALS = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "RequestExpired", "SignatureDoesNotMatch"}
)
# What botocore raises before it asks anybody.
NO_CREDENTIALS = (
    exceptions.CredentialRetrievalError,
    exceptions.NoCredentialsError,
    exceptions.NoRegionError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)
NO_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"})
GUIDE = "docs/deploy.md says what a worker may do"


def examine_deployment(settings: Settings) -> Iterator[Diagnosis]:
    """What a worker needs of AWS. Changes nothing, and receives no message. Takes long only while AWS is silent."""
    credentials = _examine_credentials()
    yield credentials
    if credentials.verdict is Verdict.FAILED:
        return
    clients = Clients.connect()
    of_queue = list(_examine_queue(settings, clients))
    yield from of_queue
    queue = CaptureQueue(clients.sqs, settings.queue_url, settings.dead_letter_queue_url)
    table = Table(clients.dynamodb, settings.table_name)
    images = ImageStore(clients.s3, settings.bucket_name, settings.key_prefix)
    if not any(each.subject == "queue" and each.verdict is Verdict.FAILED for each in of_queue):
        yield _examine_permission("messages", "may be deleted", queue.check)
    yield _examine_dead_letters(settings, clients)
    yield _examine_permission("table", f"items of {settings.table_name} may be updated", table.check)
    yield _examine_permission("bucket", f"objects of {settings.bucket_name} may be written", images.check)


def examine_clock(skew_seconds: float, margin_seconds: float) -> Diagnosis:
    """How far this machine's clock is from AWS's. Leases of different workers are compared within the margin."""
    detail = f"{abs(skew_seconds):.0f} s {'ahead of' if skew_seconds > 0 else 'behind'} AWS's"
    if abs(skew_seconds) > MAX_SKEW_SECONDS:
        return Diagnosis("clock", Verdict.FAILED, f"{detail}, which refuses requests that are 5 minutes off", SET_CLOCK)
    if abs(skew_seconds) > max(margin_seconds, MIN_SKEW_SECONDS):
        detail += f", more than the {margin_seconds:.0f} s that leases allow for"
        return Diagnosis("clock", Verdict.FAILED, detail, SET_CLOCK)
    return Diagnosis("clock", Verdict.OK, f"no more than {max(MIN_SKEW_SECONDS, abs(skew_seconds)):.0f} s off")


def _examine_credentials() -> Diagnosis:
    """Whose they are. Where STS is out of reach, the calls that follow tell as well."""
    config = Config(connect_timeout=TIMEOUT_SECONDS, read_timeout=TIMEOUT_SECONDS, retries={"total_max_attempts": 2})
    subject = "credentials"
    try:
        client: Any = boto3.client("sts", config=config)
        return Diagnosis(subject, Verdict.OK, client.get_caller_identity()["Arn"])
    except ClientError as error:
        if error_code(error) not in REFUSED_CREDENTIALS:
            return Diagnosis(subject, Verdict.SKIPPED, f"STS does not say whose they are: {error}")
        skew = _skew(error.response) or 0.0
        if abs(skew) > MAX_SKEW_SECONDS:
            return Diagnosis(subject, Verdict.FAILED, f"the clock is {skew:.0f} s off: {error}", SET_CLOCK)
        return Diagnosis(subject, Verdict.FAILED, str(error), "sign in again, or give this worker a role")
    except NO_CREDENTIALS as error:
        remedy = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or give it a role"
        return Diagnosis(subject, Verdict.FAILED, str(error), remedy)
    except (BotoCoreError, ResponseParserError) as error:
        return Diagnosis(subject, Verdict.SKIPPED, f"STS does not say whose they are: {error}")


def _examine_queue(settings: Settings, clients: Clients) -> Iterator[Diagnosis]:
    try:
        answer = clients.sqs.get_queue_attributes(QueueUrl=settings.queue_url, AttributeNames=ATTRIBUTES)
        queue = QueueSettings.of(answer)
    except (ClientError, BotoCoreError) as error:
        yield Diagnosis("queue", Verdict.FAILED, f"{settings.queue_url}: {error}", _remedy(error, "QUEUE_URL"))
        return
    if (skew := _skew(answer)) is not None:
        yield examine_clock(skew, settings.lease_margin_seconds)
    limit = queue.max_receive_count or "none"
    detail = f"{queue.arn}: visibility timeout {queue.visibility_seconds} s, maxReceiveCount {limit}"
    try:
        remarks = queue.remarks(settings)
    except SettingsError as error:
        problem, _, remedy = str(error).rpartition(": ")
        yield Diagnosis("queue", Verdict.FAILED, problem or remedy, remedy)
        return
    yield Diagnosis("queue", Verdict.OK, detail)
    for remark in remarks:
        if remark.is_warning:
            facts = ", ".join(f"{name} {value}" for name, value in remark.facts.items())
            yield Diagnosis("queue", Verdict.WARNING, f"{remark.text} ({facts})")


def _examine_permission(subject: str, detail: str, check: Callable[[], None]) -> Diagnosis:
    try:
        check()
    except CaptureError as error:
        return Diagnosis(subject, Verdict.FAILED, error.message, GUIDE)
    return Diagnosis(subject, Verdict.OK, detail)


def _examine_dead_letters(settings: Settings, clients: Clients) -> Diagnosis:
    """A worker may only send to it, which is not tried. Whether it exists is known to those who may read it."""
    subject, url = "dead-letter queue", settings.dead_letter_queue_url
    try:
        clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    except ClientError as error:
        if "AccessDenied" in error_code(error):
            return Diagnosis(subject, Verdict.SKIPPED, "only sending to it may be allowed, and that is not tried")
        return Diagnosis(subject, Verdict.FAILED, f"{url}: {error}", _remedy(error, "DEAD_LETTER_QUEUE_URL"))
    except BotoCoreError as error:
        return Diagnosis(subject, Verdict.FAILED, f"{url}: {error}", GUIDE)
    return Diagnosis(subject, Verdict.OK, url)


def _remedy(error: ClientError | BotoCoreError, variable: str) -> str:
    """What to do about a queue that does not answer a question about it."""
    # Its codes differ with the protocol (SQS API Reference, "Common Errors").
    if isinstance(error, ClientError) and error_code(error) in NO_QUEUE:
        return f"correct {variable}, or AWS_REGION if the queue is in another region"
    return GUIDE


def _skew(answer: Any) -> float | None:
    """How far this machine's clock is ahead, in seconds, by the time that an answer tells (RFC 9110, Date)."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return time.time() - parsedate_to_datetime(date).timestamp() if date else None
