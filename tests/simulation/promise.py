"""What is promised, and the error of a promise that was broken."""

from __future__ import annotations

from enum import StrEnum


class Promise(StrEnum):
    """The invariants. Each value is a promise as docs/guarantees.md words it."""

    ONE_VERSION = "one object version per id"
    SAME_IMAGE = "the record and the object have the same sha256"
    OWN_IMAGE = "a success names an image that was rendered for its own request"
    SAME_RENDER = "a record's extra objects exist and come from the same render as its image"
    SAME_SHOTS = "a reader of a record sees all shots of one attempt, or none"
    IS_LISTED = "a record that is not finished, or that has failed, is in the index, and no success is"
    CLAIM_IS_FREE = "a claim of a queued record writes nothing to the index"
    SUCCESS_IS_FINAL = "a success is final"
    HOLDER_ONLY = "only the holder changes a held record"
    NO_OVERLAP = "no claim is taken from a worker that may still be running"
    LEASE_IN_VISIBILITY = "a lease ends before its message is visible again"
    ACKNOWLEDGED_IS_SAFE = "a message is acknowledged only if its record is final or its request has another message"
    SLOT_IS_KEPT = "no host slot is taken from a capture that may still be running"
    FEW_COPIES = "a message that waits for its host does not multiply"
    RECEIVE_LIMIT = "no message is processed more often than the receive limit"
    SICK_STOPS = "a worker that cannot work stops receiving"
    FAULT_IS_NO_FAILURE = "a fault of the worker is never recorded as the failure of a screenshot"
    OBSERVERS = "nothing that only observes changes an outcome"
    ONE_ID = "every delivery, copy and redrive of a message is of one screenshot"
    NEVER_RAISES = "every delivery ends in an outcome"
    EVERY_MESSAGE_ENDS = "every accepted message ends as success, as failed or in the dead-letter queue"
    REDRIVE_HEALS = "after a redrive every request is final"
    EVERY_EVENT = "every record that becomes final has its event at least once"
    SAME_EVENT = "an event has the same id whenever it is sent"
    ONLY_FINAL = "there is no event of a record that is not final"
    EVERY_PERIOD = "each period of a watch is captured exactly once"
    ONE_CHANGE = "each change of a watched page is reported by exactly one event"
    ONE_DIGEST = "each day of a watched page has one digest, of all its periods"


class Violation(BaseException):
    """A promise was broken. This is not an Exception, because the code under test must not handle it."""

    def __init__(self, promise: Promise, what: str) -> None:
        super().__init__(promise, what)
        self.promise = promise
