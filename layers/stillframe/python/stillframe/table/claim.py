"""The claim: one conditional write decides who renders a screenshot.

A claim is a Powertools persistence layer, driven by the idempotency utility, whose item is the record
itself. Powertools' own DynamoDB layer updates and deletes unconditionally, so that a holder whose lease
ran out could complete or release the claim of the next one; here every later write is fenced by the
claim's token.
"""

from __future__ import annotations

import json
import logging
import uuid
from typing import TYPE_CHECKING, Any, NoReturn

from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord
from botocore.exceptions import BotoCoreError, ClientError

from stillframe.clock import Clock
from stillframe.errors import CaptureError, ClaimLost, ServiceUnavailable, retryable_codes
from stillframe.request.message import Delivery
from stillframe.settings import Settings
from stillframe.table.record import PARTITION_KEY, Record, Status, index_shard, to_attributes
from stillframe.table.update import Update, is_conditional_failure

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

POWERTOOLS_STATUS = {
    Status.QUEUED: STATUS_CONSTANTS["INPROGRESS"],
    Status.PROCESSING: STATUS_CONSTANTS["INPROGRESS"],
    Status.SUCCESS: STATUS_CONSTANTS["COMPLETED"],
    Status.FAILED: STATUS_CONSTANTS["COMPLETED"],
}


class Claim(BasePersistenceLayer):
    """One worker's claim on one screenshot, for one delivery. Made anew for each delivery.

    After the idempotency utility ran: `found` is the record that was in the way, None when the claim was
    won. `attempts` counts the claims on this id up to this one; `took_over` says whether a holder whose lease
    ran out was replaced, or may have been: its object may already be stored.
    """

    def __init__(self, client: DynamoDBClient, settings: Settings, clock: Clock, delivery: Delivery) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._client = client
        self._settings = settings
        self._clock = clock
        self._delivery = delivery
        self._remaining_ms = 0
        self._release_cause: Exception | None = None
        self.token = uuid.uuid4().hex
        self.claimed_at_ms = 0
        self.found: Record | None = None
        self.attempts = 0
        self.took_over = False

    def _put_record(self, data_record: DataRecord) -> None:
        """Claim. Won when there is no record, or it is queued, failed but retryable, or its lease ran out."""
        now = self.claimed_at_ms = self._clock.now_ms()
        codes = retryable_codes()
        code_names = [f":code{number}" for number in range(len(codes))]
        is_new = f"attribute_not_exists({PARTITION_KEY})"
        is_same_request = "payloadHash = :payload_hash"
        is_queued = "#status = :queued"
        may_be_retried = f"(#status = :failed AND errorCode IN ({', '.join(code_names)}))"
        lease_ran_out = "(#status = :processing AND leaseExpiresAt < :now)"
        update = Update(
            set_values=self._claimed_values(now),
            remove=("errorCode", "errorMessage"),
            set_expressions=(
                "attempts = if_not_exists(attempts, :zero) + :one",
                "queuedAt = if_not_exists(queuedAt, :sent_at)",
            ),
            condition=f"{is_new} OR ({is_same_request} AND ({is_queued} OR {may_be_retried} OR {lease_ran_out}))",
            values={
                ":payload_hash": data_record.payload_hash,
                ":queued": Status.QUEUED,
                ":failed": Status.FAILED,
                ":processing": Status.PROCESSING,
                ":now": now,
                ":sent_at": self._delivery.message.sent_at_ms,
                ":zero": 0,
                ":one": 1,
                **dict(zip(code_names, codes, strict=True)),
            },
        )
        try:
            response = self._client.update_item(
                **self._addressed(update),
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_conditional_failure(error):
                raise
            self._lose_unless_won_before(error, data_record)
            return
        old = response.get("Attributes")
        self._win_over(Record.from_item(old) if old else None)

    def _update_record(self, data_record: DataRecord) -> None:
        """Complete, as success or as failed, whichever the response says. Raises ClaimLost."""
        result: dict[str, Any] = json.loads(data_record.response_data)
        status = Status(result["status"])
        values = {**result, "updatedAt": self._clock.now_ms()}
        remove: tuple[str, ...] = ("leaseExpiresAt", "indexShard", "errorCode", "errorMessage")
        if status is Status.FAILED:
            values["indexShard"] = index_shard(status, self._delivery.id)
            remove = ("leaseExpiresAt",)
        # A retried call may meet its own first effect, so a completion by this very claim is no conflict.
        self._fenced(Update(set_values=values, remove=remove, condition="claimToken = :mine"))

    def _delete_record(self, data_record: DataRecord) -> None:
        """Release: back to queued, for the next delivery. Quiet when another holder has the claim by now."""
        cause = self._release_cause
        values: dict[str, Any] = {
            "status": Status.QUEUED,
            "indexShard": index_shard(Status.QUEUED, self._delivery.id),
            "updatedAt": self._clock.now_ms(),
        }
        if isinstance(cause, CaptureError):
            values |= {"errorCode": cause.code, "errorMessage": cause.message}
        try:
            self._fenced(
                Update(
                    set_values=values,
                    remove=("leaseExpiresAt", "claimToken"),
                    condition="claimToken = :mine AND #status = :processing",
                    values={":processing": Status.PROCESSING},
                )
            )
        except ClaimLost:
            logger.debug("nothing to release, the claim has another holder", extra={"id": self._delivery.id})

    def _get_record(self, idempotency_key: str) -> DataRecord:
        response = self._client.get_item(TableName=self._settings.table_name, Key=self._key, ConsistentRead=True)
        if "Item" not in response:
            raise IdempotencyItemNotFoundError
        return self._to_data_record(Record.from_item(response["Item"]))

    def _get_hashed_idempotency_key(self, data: dict[str, Any]) -> str:
        """The key is the screenshot id as it is: it must be found by its id."""
        return self._delivery.id

    def _get_hashed_payload(self, data: dict[str, Any]) -> str:
        return self._delivery.request.payload_hash

    def save_inprogress(self, data: dict[str, Any], remaining_time_in_millis: int | None = None) -> None:
        """Keeps the invocation's remaining time: the lease is counted on our clock, as its end is judged by it.

        Raises ValueError without one: the claim would be locked for Powertools' default of an hour.
        """
        if remaining_time_in_millis is None:
            raise ValueError("a claim needs the invocation's remaining time: register the Lambda context")
        self._remaining_ms = remaining_time_in_millis
        super().save_inprogress(data, remaining_time_in_millis)

    def delete_record(self, data: dict[str, Any], exception: Exception) -> None:
        """Keeps the reason, which the hook `_delete_record` is not given."""
        self._release_cause = exception
        super().delete_record(data, exception)

    def _claimed_values(self, now_ms: int) -> dict[str, Any]:
        delivery, settings = self._delivery, self._settings
        return {
            "status": Status.PROCESSING,
            "url": delivery.request.recorded_url,
            "options": delivery.request.recorded_options,
            "payloadHash": delivery.request.payload_hash,
            "workerId": settings.worker_id,
            "messageId": delivery.message.message_id,
            "claimToken": self.token,
            "leaseExpiresAt": now_ms + self._remaining_ms + settings.lease_margin_ms,
            "claimedAt": now_ms,
            "updatedAt": now_ms,
            "expiresAt": now_ms // 1000 + settings.record_retention_seconds,
            "indexShard": index_shard(Status.PROCESSING, delivery.id),
        }

    def _win_over(self, previous: Record | None) -> None:
        self.attempts = 1 + (previous.attempts if previous else 0)
        self.took_over = previous is not None and previous.status is Status.PROCESSING
        if previous is not None and self.took_over:
            logger.warning("processing appears stale, will retry", extra=self._stale(previous))

    def _lose_unless_won_before(self, error: ClientError, data_record: DataRecord) -> None:
        """The SDK sends a call again whose answer was lost: then the record in the way is this very claim's."""
        item: Any = error.response.get("Item")
        record = Record.from_item(item) if item is not None else None
        if record is None or record.claim_token != self.token:
            self._lose(error, record, data_record)
        logger.debug("the claim was won by a call whose answer was lost", extra={"id": self._delivery.id})
        self.attempts = record.attempts
        # What it replaced is not known any more; the first attempt of all can have replaced no other.
        self.took_over = record.attempts > 1

    def _lose(self, error: ClientError, record: Record | None, data_record: DataRecord) -> NoReturn:
        logger.debug("the claim was not won", extra={"id": self._delivery.id})
        if record is None:
            raise IdempotencyItemAlreadyExistsError from error
        old = self._to_data_record(record)
        self._validate_payload(data_payload=data_record, stored_data_record=old)
        raise IdempotencyItemAlreadyExistsError(old_data_record=old) from error

    def _to_data_record(self, record: Record) -> DataRecord:
        """Keeps the record as what was found. Times are left out: the condition alone judges a lease."""
        self.found = record
        return DataRecord(
            idempotency_key=record.id,
            status=POWERTOOLS_STATUS[record.status],
            payload_hash=record.payload_hash,
            response_data=json.dumps(record.to_wire()),
        )

    def _fenced(self, update: Update) -> None:
        try:
            self._client.update_item(**self._addressed(update.with_values({":mine": self.token})))
        except ClientError as error:
            if is_conditional_failure(error):
                raise ClaimLost("the lease ran out and another holder took the claim") from error
            raise ServiceUnavailable(f"update item: {error}") from error
        except BotoCoreError as error:
            raise ServiceUnavailable(f"update item: {error}") from error

    def _addressed(self, update: Update) -> dict[str, Any]:
        return {"TableName": self._settings.table_name, "Key": self._key, **update.to_arguments()}

    @property
    def _key(self) -> dict[str, Any]:
        return to_attributes({PARTITION_KEY: self._delivery.id})

    def _stale(self, holder: Record) -> dict[str, Any]:
        lease = holder.lease_expires_at or self.claimed_at_ms
        return {
            "id": self._delivery.id,
            "workerId": self._settings.worker_id,
            "staleWorkerId": holder.worker_id,
            "staleForMs": self.claimed_at_ms - lease,
        }
