"""The errors that a capture raises on purpose. The class carries the retry decision; the code is what users see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

MAX_MESSAGE_CHARS = 500


class CaptureError(Exception):
    """Base of all errors that a capture raises on purpose. `code` is stored in the record and counted as a metric."""

    code: ClassVar[str] = "CAPTURE_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message[:MAX_MESSAGE_CHARS]


class PermanentError(CaptureError):
    """Another attempt cannot succeed. Recorded as failed, then acknowledged."""


class TransientError(CaptureError):
    """Another attempt may succeed. The message goes back to the queue."""


class WorkerFault(TransientError):
    """The worker's machine or account is at fault, and not the message: no disk space, descriptors or memory.

    Any message would have met it, so it never becomes the failure of one: it is never recorded as `failed`, and the
    message keeps its remaining receives where SQS allows that (stillframe_renderer.message.capture).
    """

    code = "WORKER_FAULT"


class UnparsableBody(PermanentError):
    """The message body is not a request, so it has no id to record it under and goes to the dead-letter queue."""

    code = "UNPARSABLE_BODY"


class UnreadableRecord(PermanentError):
    """A record of the event is no SQS message: it has no body or no id. It goes to the dead-letter queue as it is."""

    code = "UNREADABLE_RECORD"


class IdConflict(PermanentError):
    """The id belongs to a request with another URL or other options. The message goes to the dead-letter queue."""

    code = "ID_CONFLICT"

    @classmethod
    def of(cls, screenshot_id: str) -> Self:
        """The error of a request with an id that another request has."""
        return cls(
            f"the id {screenshot_id} belongs to a request with another URL or other options; use a new requestId"
        )


class InvalidRequest(PermanentError):
    """An option is unknown, out of range, or in conflict with another one; or the URL is malformed."""

    code = "INVALID_REQUEST"


class BlockedScheme(PermanentError):
    """The page, or a redirect target, is neither http nor https."""

    code = "BLOCKED_SCHEME"


class BlockedAddress(PermanentError):
    """The page is at an address that is not on the public internet."""

    code = "BLOCKED_ADDRESS"


class SecretUnavailable(PermanentError):
    """A secret named in the request is not granted for the host, does not exist, or is not usable text."""

    code = "SECRET_UNAVAILABLE"


class UnknownHost(PermanentError):
    """The host name does not resolve."""

    code = "UNKNOWN_HOST"


class TlsFailure(PermanentError):
    """The host's certificate is not acceptable, or the TLS handshake failed."""

    code = "TLS_ERROR"


class ContentRefused(PermanentError):
    """The response is a download or has no document to show (for example 204 No Content)."""

    code = "CONTENT_REFUSED"


class PageTooLarge(PermanentError):
    """The page is larger than one capture may load."""

    code = "PAGE_TOO_LARGE"


class SelectorNotFound(PermanentError):
    """No element of the page matches a selector of the request."""

    code = "SELECTOR_NOT_FOUND"


class ScriptFailed(PermanentError):
    """A script of the request raised an error in the page."""

    code = "SCRIPT_FAILED"


class ObjectConflict(PermanentError):
    """The image's key is taken by an object that Stillframe did not write for this id."""

    code = "OBJECT_CONFLICT"


class StatusRefused(PermanentError):
    """`failOnStatus` is set and the page responded with 4xx (other than 429)."""

    code = "STATUS_REFUSED"


class StatusUnavailable(TransientError):
    """`failOnStatus` is set and the page responded with 429 or 5xx, which may be temporary."""

    code = "STATUS_UNAVAILABLE"


class ConsoleErrorRefused(PermanentError):
    """`failOnConsoleError` is set and the page logged an error, or raised one that nothing caught."""

    code = "CONSOLE_ERROR"


class ResourceErrorRefused(PermanentError):
    """`failOnResourceError` is set and the page did not get a resource that it requested."""

    code = "RESOURCE_ERROR"


class CaptureTimeout(TransientError):
    """The job's deadline passed before the capture was done."""

    code = "TIMEOUT"


class ConnectTimeout(CaptureTimeout):
    """No address of the host accepted a connection in time."""

    code = "CONNECT_TIMEOUT"


class NavigationTimeout(CaptureTimeout):
    """No document arrived within the page's timeout."""

    code = "NAVIGATION_TIMEOUT"


class ReadyTimeout(CaptureTimeout):
    """`strict` is set, and the page was not ready within its timeout."""

    code = "READY_TIMEOUT"


class ResolverFailed(TransientError):
    """The name server did not answer, so it is unknown whether the name exists."""

    code = "DNS_ERROR"


class ConnectionFailed(TransientError):
    """The connection to the host failed for a reason other than those below."""

    code = "CONNECTION_FAILED"


class ConnectionRefused(ConnectionFailed):
    """The host refuses connections at the port (TCP reset, RFC 9293, 3.5.2)."""

    code = "CONNECTION_REFUSED"


class ConnectionReset(ConnectionFailed):
    """The host closed or reset the connection before it responded."""

    code = "CONNECTION_RESET"


class BrowserCrashed(TransientError):
    """The browser or the page's renderer process died during the capture."""

    code = "BROWSER_CRASHED"


class BrowserUnavailable(WorkerFault):
    """The browser could not be started, or opened no tab although nothing else was running in it."""

    code = "BROWSER_UNAVAILABLE"


class ServiceUnavailable(WorkerFault):
    """An AWS call failed after its own retries (throttling, 5xx, network, permissions)."""

    code = "AWS_ERROR"


class CallRefused(TransientError):
    """AWS refused what an AWS call for this message contained (too large, malformed); other messages may succeed."""

    code = "AWS_REFUSED"


class WebhookGivenUp(PermanentError):
    """A webhook was not accepted within three days, or cannot be. Its message goes to its own dead-letter queue."""

    code = "WEBHOOK_GIVEN_UP"


class OutOfTime(TransientError):
    """The invocation has too little time left to start a capture. The message is handed back untouched."""

    code = "OUT_OF_TIME"


class HostBusy(TransientError):
    """The page's host is at its host limit: the message waits for a slot."""

    code = "HOST_BUSY"


class ClaimHeld(TransientError):
    """Another worker holds the claim, and this message may be the only one left if that worker dies.

    `seconds` is how long its lease still runs. Delivering the message again before then would be of no use.
    """

    code = "CLAIM_HELD"

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class ClaimLost(TransientError):
    """The lease expired and another worker took over the claim. Nothing of this attempt is kept."""

    code = "CLAIM_LOST"


class UnexpectedError(TransientError):
    """A defect: something other than a CaptureError was raised. Retried, then dead-lettered, never dropped."""

    code = "UNEXPECTED"


def all_subclasses(base: type[CaptureError]) -> Iterator[type[CaptureError]]:
    """The subclasses of an error class, direct and indirect."""
    for child in base.__subclasses__():
        yield child
        yield from all_subclasses(child)


def codes_of(base: type[CaptureError]) -> tuple[str, ...]:
    """The codes of an error class that has one and of its subclasses, sorted."""
    return tuple(sorted(error.code for error in (base, *all_subclasses(base))))


def retryable_codes() -> tuple[str, ...]:
    """The codes with which a failed record may be claimed again, sorted."""
    return tuple(sorted(error.code for error in all_subclasses(TransientError)))
