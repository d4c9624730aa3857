"""What the queue itself is set to. A worker goes by this, and not by what its environment says about the queue."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from stillframe.settings import Settings, SettingsError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

# Besides the margin of its leases, a batch ends this long before its messages become visible again.
VISIBILITY_MARGIN_SECONDS = 1
# With less time than this between a receive and the end of the lease, hardly any page can be captured.
MIN_JOB_SECONDS = 5
ATTRIBUTES: Any = ["QueueArn", "VisibilityTimeout", "RedrivePolicy", "MessageRetentionPeriod"]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a queue that a worker can live with."""

    text: str
    facts: Mapping[str, Any]
    is_warning: bool = True


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """The attributes of a queue that a worker depends on. `max_receive_count` is None without a redrive policy."""

    arn: str
    visibility_seconds: int
    retention_seconds: int
    max_receive_count: int | None
    dead_letter_arn: str | None

    @classmethod
    def read(cls, client: SQSClient, queue_url: str) -> Self:
        """Ask the queue. Raises ClientError or BotoCoreError."""
        return cls.of(client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=ATTRIBUTES))

    @classmethod
    def of(cls, answer: Any) -> Self:
        """The answer of GetQueueAttributes for `ATTRIBUTES`."""
        attributes = answer["Attributes"]
        policy = json.loads(attributes.get("RedrivePolicy") or "{}")
        return cls(
            arn=attributes["QueueArn"],
            visibility_seconds=int(attributes["VisibilityTimeout"]),
            retention_seconds=int(attributes["MessageRetentionPeriod"]),
            max_receive_count=int(policy["maxReceiveCount"]) if policy else None,
            dead_letter_arn=policy.get("deadLetterTargetArn"),
        )

    def apply(self, settings: Settings) -> Settings:
        """The settings of a worker of this queue: where they differ, the queue's values win, and a line says so.

        Raises SettingsError, with the value that it should be, when no job could end on this queue.
        """
        for remark in self.remarks(settings):
            logger.log(logging.WARNING if remark.is_warning else logging.INFO, remark.text, extra=remark.facts)
        if self.max_receive_count is None:
            return settings.model_copy(update={"has_redrive_policy": False})
        return settings.model_copy(update={"has_redrive_policy": True, "max_receive_count": self.max_receive_count})

    def remarks(self, settings: Settings) -> list[Remark]:
        """What a worker with these settings should know about its queue. Raises SettingsError like `apply`."""
        self._refuse_impossible(settings)
        return [remark for remark in (self._short_jobs(settings), *self._dead_lettering(settings)) if remark]

    def lease_seconds(self, settings: Settings) -> float:
        """How long after a receive the lease must end, by every worker's clock, so that no other has the message."""
        return self.visibility_seconds - margin_seconds(settings)

    def has_short_leases(self, settings: Settings) -> bool:
        """Whether a lease is shorter than a job may take, so that a message must not wait for its capture."""
        return self.lease_seconds(settings) < settings.job_deadline_seconds

    def _refuse_impossible(self, settings: Settings) -> None:
        # "Amazon SQS FIFO queue", quotas: its name ends with the suffix, and its messages have no delay of their own.
        if self.arn.endswith(".fifo"):
            raise SettingsError(
                "QUEUE_URL names a FIFO queue, to which messages that must wait cannot be sent again: use a standard "
                "queue"
            )
        should_be = f"set it to {self._enough_seconds(settings)} s or more"
        if self.lease_seconds(settings) < MIN_JOB_SECONDS:
            raise SettingsError(
                f"the queue's visibility timeout is {self.visibility_seconds} s: no capture can end in it, {should_be}"
            )
        if self.retention_seconds <= self.visibility_seconds:
            raise SettingsError(
                f"the queue keeps messages for {self.retention_seconds} s, not longer than their visibility timeout of "
                f"{self.visibility_seconds} s, so a message that fails once is lost: set its retention to 4 days"
            )
        if settings.queue_url == settings.dead_letter_queue_url:
            raise SettingsError("QUEUE_URL and DEAD_LETTER_QUEUE_URL name the same queue")

    def _short_jobs(self, settings: Settings) -> Remark | None:
        if not self.has_short_leases(settings):
            return None
        facts = {
            "visibilityTimeout": self.visibility_seconds,
            "shouldBe": self._enough_seconds(settings),
            "jobSeconds": self.lease_seconds(settings),
        }
        return Remark(
            "the queue's visibility timeout is shorter than a job may take, so jobs end earlier and no message waits",
            facts,
        )

    def _dead_lettering(self, settings: Settings) -> Iterator[Remark]:
        if self.max_receive_count is None:
            yield Remark(
                "the queue has no redrive policy (maxReceiveCount), so SQS never gives a message up; "
                "this worker moves it to the dead-letter queue itself",
                {"maxReceiveCount": settings.max_receive_count},
            )
            return
        if self.dead_letter_arn and _name_of(self.dead_letter_arn) != _name_of(settings.dead_letter_queue_url):
            yield Remark(
                "SQS moves dead letters to another queue than DEAD_LETTER_QUEUE_URL names",
                {"deadLetterTargetArn": self.dead_letter_arn},
            )
        if self.max_receive_count != settings.max_receive_count:
            yield Remark(
                "maxReceiveCount of the queue differs from STILLFRAME_MAX_RECEIVE_COUNT; the queue's value is used",
                {"maxReceiveCount": self.max_receive_count, "configured": settings.max_receive_count},
                is_warning="max_receive_count" in settings.model_fields_set,
            )

    def _enough_seconds(self, settings: Settings) -> int:
        return math.ceil(settings.job_deadline_seconds + margin_seconds(settings))


def margin_seconds(settings: Settings) -> float:
    """The time between the end of a lease and the moment when its message is visible again."""
    return VISIBILITY_MARGIN_SECONDS + 2 * settings.lease_margin_seconds


def _name_of(arn_or_url: str) -> str:
    return arn_or_url.replace(":", "/").rpartition("/")[2]
