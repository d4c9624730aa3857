"""Which errors are the worker's or the account's fault, and which the message's."""

from __future__ import annotations

import errno

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from stillframe.aws_errors import is_refusal, translated_errors
from stillframe.errors import CallRefused, CaptureError, ServiceUnavailable, TransientError, WorkerFault, all_subclasses
from stillframe.worker_faults import worker_fault
from tests.simulation.aws.errors import client_error

URL = "https://sqs.example"


@pytest.mark.parametrize(
    ("error", "is_fault"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EMFILE, "Too many open files"), True),
        (OSError(errno.EROFS, "Read-only file system"), True),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found"), True),
        (PermissionError(errno.EACCES, "Permission denied"), True),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), True),
        (MemoryError(), True),
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("dictionary changed size during iteration"), False),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), False),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), False),
        (TimeoutError(), False),
        (KeyError("x"), False),
    ],
    ids=str,
)
def test_an_unexpected_error_shows_whose_fault_it_is(error: Exception, is_fault: bool) -> None:
    assert isinstance(worker_fault(error), WorkerFault) is is_fault


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (client_error("PutObject", "AccessDenied", 403), ServiceUnavailable),
        (client_error("PutObject", "NoSuchBucket", 404), ServiceUnavailable),
        (client_error("PutObject", "KMS.DisabledException", 400), ServiceUnavailable),
        (client_error("UpdateItem", "ExpiredTokenException", 400), ServiceUnavailable),
        (client_error("UpdateItem", "ThrottlingException", 400), ServiceUnavailable),
        (client_error("UpdateItem", "InternalServerError", 500), ServiceUnavailable),
        (client_error("UpdateItem", "ValidationException", 400), CallRefused),
        (client_error("PutObject", "MetadataTooLarge", 400), CallRefused),
        (ReadTimeoutError(endpoint_url=URL), ServiceUnavailable),
        (NoCredentialsError(), ServiceUnavailable),
    ],
    ids=str,
)
def test_aws_refuses_either_the_worker_or_the_content_of_a_call(
    error: Exception, expected: type[TransientError]
) -> None:
    with pytest.raises(expected), translated_errors("call"):
        raise error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (client_error("ReceiveMessage", "AWS.SimpleQueueService.NonExistentQueue", 400), True),
        (client_error("ReceiveMessage", "AccessDenied", 403), True),
        (client_error("ReceiveMessage", "ExpiredToken", 403), True),
        (client_error("ReceiveMessage", "InvalidClientTokenId", 403), True),
        (NoCredentialsError(), True),
        (client_error("ReceiveMessage", "Throttling", 400), False),
        (client_error("ReceiveMessage", "InternalFailure", 500), False),
        (client_error("ReceiveMessage", "ServiceUnavailable", 503), False),
        (ReadTimeoutError(endpoint_url=URL), False),
        (ConnectTimeoutError(endpoint_url=URL), False),
        (EndpointConnectionError(endpoint_url=URL), False),
    ],
    ids=str,
)
def test_a_refusal_differs_from_silence(error: ClientError | BotoCoreError, expected: bool) -> None:
    # A refusal needs somebody who changes something; silence, throttling and a 5xx pass by themselves.
    assert is_refusal(error) is expected


def test_every_fault_of_the_worker_may_be_retried() -> None:
    faults: set[type[CaptureError]] = {WorkerFault, *all_subclasses(WorkerFault)}
    assert {each.code for each in faults} == {"WORKER_FAULT", "BROWSER_UNAVAILABLE", "AWS_ERROR"}
    assert all(issubclass(each, TransientError) for each in faults)
