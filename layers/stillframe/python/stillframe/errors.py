"""What a capture raises on purpose. The class carries the retry decision, the code is what users see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

MAX_MESSAGE_CHARS = 500


class CaptureError(Exception):
    """Base of what a capture raises on purpose. `code` is stored in the record and counted as a metric."""

    code: ClassVar[str] = "CAPTURE_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message[:MAX_MESSAGE_CHARS]


class PermanentError(CaptureError):
    """Another attempt cannot succeed. Recorded as failed, then acknowledged."""


class TransientError(CaptureError):
    """Another attempt may succeed. The message goes back to the queue."""


class UnparsableBody(PermanentError):
    """The message body is no request at all, so there is no id to record it under: dead-letter queue."""

    code = "UNPARSABLE_BODY"


class IdConflict(PermanentError):
    """The id is taken by a request with another url or other options: dead-letter queue."""

    code = "ID_CONFLICT"


class InvalidRequest(PermanentError):
    """An option is unknown, out of its range, or in conflict with another one; or the url is malformed."""

    code = "INVALID_REQUEST"


class BlockedScheme(PermanentError):
    """The page, or what it redirects to, is neither http nor https."""

    code = "BLOCKED_SCHEME"


class BlockedAddress(PermanentError):
    """The page names an address that is not on the public internet."""

    code = "BLOCKED_ADDRESS"


class SecretUnavailable(PermanentError):
    """A secret that the request names is not granted for the host, does not exist, or is no usable text."""

    code = "SECRET_UNAVAILABLE"


class UnknownHost(PermanentError):
    """The name of the host does not resolve."""

    code = "UNKNOWN_HOST"


class TlsFailure(PermanentError):
    """The certificate or the TLS handshake of the host is not acceptable."""

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
    """A script of the request's raised an error in the page."""

    code = "SCRIPT_FAILED"


class ObjectConflict(PermanentError):
    """The key of the image is taken by an object that Stillframe did not write for this id."""

    code = "OBJECT_CONFLICT"


class StatusRefused(PermanentError):
    """`failOnStatus` is set and the page answered 4xx (but not 429)."""

    code = "STATUS_REFUSED"


class StatusUnavailable(TransientError):
    """`failOnStatus` is set and the page answered 429 or 5xx, which may pass."""

    code = "STATUS_UNAVAILABLE"


class CaptureTimeout(TransientError):
    """The job's deadline came first."""

    code = "TIMEOUT"


class ConnectTimeout(CaptureTimeout):
    """No address of the host took a connection in time."""

    code = "CONNECT_TIMEOUT"


class NavigationTimeout(CaptureTimeout):
    """No document came within the page's time-out."""

    code = "NAVIGATION_TIMEOUT"


class ReadyTimeout(CaptureTimeout):
    """`strict` is set, and the page did not get ready within its time-out."""

    code = "READY_TIMEOUT"


class ResolverFailed(TransientError):
    """The name server did not answer, which says nothing of the name."""

    code = "DNS_ERROR"


class ConnectionFailed(TransientError):
    """There was no connection to the host, or it broke in another way than those below."""

    code = "CONNECTION_FAILED"


class ConnectionRefused(ConnectionFailed):
    """The host refuses connections at the port (TCP reset, RFC 9293, 3.5.2)."""

    code = "CONNECTION_REFUSED"


class ConnectionReset(ConnectionFailed):
    """The host closed or reset the connection before there was an answer."""

    code = "CONNECTION_RESET"


class BrowserCrashed(TransientError):
    """The browser or the page's renderer died, or could not be started."""

    code = "BROWSER_CRASHED"


class ServiceUnavailable(TransientError):
    """An AWS call failed after its own retries (throttling, 5xx, network, permissions)."""

    code = "AWS_ERROR"


class OutOfTime(TransientError):
    """The invocation has too little time left to begin: the record is handed back untouched."""

    code = "OUT_OF_TIME"


class HostBusy(TransientError):
    """As many captures of the page's host are under way as may be: the message waits for its turn."""

    code = "HOST_BUSY"


class ClaimHeld(TransientError):
    """A holder whose lease still runs works on the id, and this message may be all that is left if it dies.

    `seconds` is how long the lease still runs: no sooner is another delivery of use.
    """

    code = "CLAIM_HELD"

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class ClaimLost(TransientError):
    """The lease ran out and another holder took the claim; nothing of this attempt was kept."""

    code = "CLAIM_LOST"


class UnexpectedError(TransientError):
    """A defect: something raised that is no CaptureError. Retried, then dead-lettered, never dropped."""

    code = "UNEXPECTED"


def leaves(base: type[CaptureError]) -> Iterator[type[CaptureError]]:
    for child in base.__subclasses__():
        yield child
        yield from leaves(child)


def retryable_codes() -> tuple[str, ...]:
    """Codes under which a record that says `failed` may be claimed again, sorted."""
    return tuple(sorted(error.code for error in leaves(TransientError)))
