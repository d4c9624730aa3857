"""Errors that a user can act on, as one line that says what to do. Anything else is a bug and keeps its traceback."""

from __future__ import annotations

import errno
import os

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from botocore.parsers import ResponseParserError

from stillframe.errors import CaptureError
from stillframe.settings import SettingsError

FAILED, WRONG_USAGE = 1, 2

# Packages that only some commands need, and the extra of pyproject.toml that installs each.
EXTRAS = {
    "ministack": "embedded",
    "uvicorn": "embedded",
    "matplotlib": "operate",
    "simpy": "operate",
    "textual": "operate",
}
ADVICE: dict[type[BotoCoreError], str] = {
    NoRegionError: " Set AWS_REGION, or choose a profile with AWS_PROFILE.",
    NoCredentialsError: " Log in with `aws sso login` or `aws configure`, or choose a profile with AWS_PROFILE.",
}
# What botocore raises, as a ValueError, for a URL that is none.
INVALID_ENDPOINT = "Invalid endpoint: "


def describe_failure(error: BaseException) -> tuple[str, int] | None:
    """Return the message and the exit status for an ordinary mistake or fault, or None for a bug."""
    return _describe_usage(error) or _describe_fault(error)


def _describe_usage(error: BaseException) -> tuple[str, int] | None:
    message = None
    if isinstance(error, SettingsError):
        message = str(error)
    elif isinstance(error, ModuleNotFoundError):
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        message = f'This command needs {error.name}: pip install "stillframe[{extra}]"' if extra else None
    elif isinstance(error, ValueError) and str(error).startswith(INVALID_ENDPOINT):
        value = str(error).removeprefix(INVALID_ENDPOINT)
        message = f"AWS_ENDPOINT_URL: {value!r} is not a URL. Unset it, or use what `stillframe dev` prints."
    return (message, WRONG_USAGE) if message is not None else None


def _describe_fault(error: BaseException) -> tuple[str, int] | None:
    message = None
    if isinstance(error, CaptureError):
        message = f"{error.code}: {error.message}"
    elif isinstance(error, ClientError | BotoCoreError | ResponseParserError):
        message = f"AWS: {_describe_aws(error)}"
    elif isinstance(error, OSError):
        message = _describe_system(error)
    return (message, FAILED) if message is not None else None


def _describe_aws(error: ClientError | BotoCoreError | ResponseParserError) -> str:
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        # An emulator answers so for a service that it does not have: with an HTTP status in place of a code.
        if endpoint and str(details.get("Code", "")).isdigit() and error.response.get("ResponseMetadata", {}):
            return (
                f"{endpoint} does not know {error.operation_name}. For a deployment in an account, unset its variables."
            )
        return str(error)
    if isinstance(error, ResponseParserError):
        where = endpoint or "the endpoint"
        return f"{where} does not answer as AWS does. For a deployment in an account, unset AWS_ENDPOINT_URL."
    advice = ADVICE.get(type(error), "")
    if "Could not connect to the endpoint" in str(error) and endpoint:
        advice = " Is `stillframe dev` still running? For a deployment in an account, unset its variables."
    return f"{error}{advice}"


def _describe_system(error: OSError) -> str:
    what = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = "the disk is full"
    elif error.errno in (errno.EMFILE, errno.ENFILE):
        what = f"{what}; raise the limit with `ulimit -n 4096`"
    return what if error.filename is None else f"{error.filename}: {what}"
