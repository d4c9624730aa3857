"""An ordinary mistake ends in a sentence that says what to do; a bug keeps its traceback."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError
from botocore.parsers import ResponseParserError

from stillframe.errors import ServiceUnavailable
from stillframe.settings import SettingsError
from stillframe_cli.failures import describe_failure


def refusal(code: str, message: str = "") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(response, "DescribeServices")


@pytest.mark.parametrize(
    ("error", "words", "status"),
    [
        (SettingsError("LOG_LEVEL: wrong"), "LOG_LEVEL: wrong", 2),
        (ServiceUnavailable("get item"), "AWS_ERROR: get item", 1),
        (ModuleNotFoundError("No module", name="simpy.core"), 'pip install "stillframe[operate]"', 2),
        (NoRegionError(), "Set AWS_REGION", 1),
        (NoCredentialsError(), "aws sso login", 1),
        (ValueError("Invalid endpoint: foo"), "AWS_ENDPOINT_URL: 'foo' is not a URL", 2),
        (refusal("AccessDenied", "not allowed"), "not allowed", 1),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full", 1),
        (OSError(errno.ENOENT, "No such file or directory", "a/b"), "a/b: No such file or directory", 1),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n", 1),
    ],
)
def test_an_ordinary_mistake_is_a_sentence(error: Exception, words: str, status: int) -> None:
    described = describe_failure(error)
    assert described is not None
    assert words in described[0]
    assert described[1] == status


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal("400"), "http://127.0.0.1:4566 does not know DescribeServices"),
        (ResponseParserError("not well-formed"), "http://127.0.0.1:4566 does not answer as AWS does"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"), "Is `stillframe dev` still running?"),
    ],
)
def test_an_emulator_that_lacks_a_service_is_named(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert words in (describe_failure(error) or ("", 0))[0]


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), ModuleNotFoundError("x", name="stillframe.x")])
def test_a_bug_is_none_of_these(error: Exception) -> None:
    assert describe_failure(error) is None
