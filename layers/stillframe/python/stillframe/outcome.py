"""How one delivery ended: what users see, what is counted, and whether the message is acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from stillframe.cost import Cost
from stillframe.errors import CaptureError
from stillframe.image.render_result import StoredImage
from stillframe.request.message import Message
from stillframe.table.record import Record, Status


class OutcomeKind(StrEnum):
    """The four ways in which a delivery can end."""

    CAPTURED = "captured"
    SKIPPED = "skipped"
    FAILED = "failed"
    RETRY = "retry"


class SkipReason(StrEnum):
    """Why a delivery was skipped as a duplicate."""

    ALREADY_SUCCESS = "already_success"
    ALREADY_PROCESSING = "already_processing"
    RACE_CONDITION_PREVENTED = "race_condition_prevented"
    ALREADY_FAILED = "already_failed"

    @classmethod
    def of(cls, found: Record, received_at_ms: int) -> Self:
        """Why the record in the way makes a message a duplicate, which was received at this time."""
        if found.status is Status.SUCCESS:
            return cls("already_success")
        if found.status is Status.FAILED:
            return cls("already_failed")
        # The winner claimed after this worker had received its message: without the claim both would have rendered.
        is_race = (found.claimed_at or 0) >= received_at_ms
        return cls("race_condition_prevented" if is_race else "already_processing")


# What the log line of a delivery has at the level INFO.
LOGGED = frozenset(
    [
        "id",
        "url",
        "outcome",
        "reason",
        "messageId",
        "receiveCount",
        "attempts",
        "adopted",
        "tookOver",
        "bytes",
        "width",
        "height",
        "httpStatus",
        "requests",
        "blank",
        "unsettled",
        "winner",
        "errorCode",
        "errorMessage",
        "durationMs",
        "renderMs",
        "claimAgeMs",
        "latencyMs",
        "tenant",
        "awsMs",
        "cpuMs",
        "billedMs",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one delivery ended. It is made when that is known, and never before.

    `acknowledge` says whether the message may be deleted. A message that must be delivered again, or that SQS will move
    to the dead-letter queue by its receive count, is not acknowledged. `aws_ms` is the time in AWS calls by call, and
    `cost` the worker's time for this delivery, failed and skipped ones included.
    """

    kind: OutcomeKind
    acknowledge: bool
    id: str
    url: str
    message_id: str
    receive_count: int = 1
    reason: str | None = None
    image: StoredImage | None = None
    s3_url: str | None = None
    winner: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    adopted: bool = False
    is_takeover: bool = False
    attempts: int = 0
    duration_ms: int = 0
    render_ms: int | None = None
    cost: Cost | None = None
    aws_ms: Mapping[str, int] = field(default_factory=dict)
    claim_age_ms: int | None = None
    # From the sending of the message to the stored image.
    latency_ms: int | None = None
    tenant: str | None = None

    @classmethod
    def of(cls, message: Message, kind: OutcomeKind, *, acknowledge: bool) -> Self:
        """The outcome of a message of which no more than that is known."""
        return cls(
            kind=kind,
            acknowledge=acknowledge,
            id=message.message_id,
            url="",
            message_id=message.message_id,
            receive_count=message.receive_count,
        )

    @classmethod
    def refusal(cls, message: Message, kind: OutcomeKind, error: CaptureError, *, acknowledge: bool) -> Self:
        """The outcome of a message that ended with an error."""
        outcome = cls.of(message, kind, acknowledge=acknowledge)
        return replace(outcome, reason=error.code, error_code=error.code, error_message=error.message)

    def to_log(self) -> dict[str, Any]:
        """The canonical log line: what tells how the delivery ended, and what the saved queries ask for, by wire name.

        CloudWatch charges for its bytes. The record has the rest.
        """
        return {name: value for name, value in self.to_wire().items() if name in LOGGED and value is not False}

    def to_wire(self) -> dict[str, Any]:
        """All that is known of the delivery: one flat object with wire names, without the values that are not known."""
        image = self.image.to_wire() if self.image else {}
        # The record has them: twenty would make a line of 9 KB.
        image.pop("shots", None)
        values: dict[str, Any] = {
            "id": self.id,
            "url": self.url,
            "outcome": self.kind.value,
            "reason": self.reason,
            "messageId": self.message_id,
            "receiveCount": self.receive_count,
            "attempts": self.attempts or None,
            "adopted": self.adopted or None,
            "tookOver": self.is_takeover or None,
            **image,
            "s3Url": image.get("s3Url", self.s3_url),
            "winner": self.winner,
            "errorCode": self.error_code,
            "errorMessage": self.error_message,
            "durationMs": self.duration_ms,
            "renderMs": self.render_ms,
            "claimAgeMs": self.claim_age_ms,
            "latencyMs": self.latency_ms,
            "tenant": self.tenant,
            "awsMs": dict(self.aws_ms) or None,
            **(self.cost.to_wire() if self.cost else {}),
        }
        return {name: value for name, value in values.items() if value is not None}
