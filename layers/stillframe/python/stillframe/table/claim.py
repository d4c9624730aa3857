"""The claim: one conditional write decides who renders a screenshot.

A claim is a Powertools persistence layer, driven by the idempotency utility, and the item it writes is the record
itself. Powertools' own DynamoDB layer updates and deletes unconditionally, so a holder whose lease had expired could
complete or release the claim of the next one. Here the claim's token fences every later write.
"""

from __future__ import annotations

import json
import logging
import secrets
from typing import Any, NoReturn

from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord

from stillframe import log_messages
from stillframe.aws_times import timed
from stillframe.clock import Clock
from stillframe.errors import ClaimLost
from stillframe.image.page_facts import OVERTAKEN, without_comparison
from stillframe.request.message import Delivery
from stillframe.settings import Settings
from stillframe.table import transitions
from stillframe.table.attributes import CLAIM_TOKEN, STATUS
from stillframe.table.implied import without_implied
from stillframe.table.last_capture import Succession
from stillframe.table.record import Record, Status
from stillframe.table.table import Table
from stillframe.table.update import Update

logger = logging.getLogger(__name__)

POWERTOOLS_STATUS = {
    Status.QUEUED: STATUS_CONSTANTS["INPROGRESS"],
    Status.PROCESSING: STATUS_CONSTANTS["INPROGRESS"],
    Status.SUCCESS: STATUS_CONSTANTS["COMPLETED"],
    Status.FAILED: STATUS_CONSTANTS["COMPLETED"],
}


class Claim(BasePersistenceLayer):
    """One worker's claim on one screenshot, for one delivery. Create a new one for each delivery.

    After the idempotency utility has run: `found` is the record that was in the way, None when the claim was won.
    `attempts` counts the claims on this id, this one included. `is_takeover` says whether the claim replaced, or may
    have replaced, a holder whose lease had expired: its image may already be stored. `replaced_token` is the token of
    the claim before this one, None when there was none or it is not known.
    """

    def __init__(self, table: Table, settings: Settings, clock: Clock, delivery: Delivery) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._table = table
        self._settings = settings
        self._clock = clock
        self._delivery = delivery
        self._remaining_ms = 0
        self._release_cause: Exception | None = None
        # Of 96 random bits, in 16 characters of URLs and object keys.
        self.token = secrets.token_urlsafe(12)
        self.claimed_at_ms = 0
        self.found: Record | None = None
        self.attempts = 0
        self.is_takeover = False
        self.replaced_token: str | None = None
        # Set by a job whose capture is compared with the one before it.
        self.succession: Succession | None = None

    def _put_record(self, data_record: DataRecord) -> None:
        """Claim. Raises IdempotencyItemAlreadyExistsError when the claim is lost."""
        now_ms = self.claimed_at_ms = self._clock.now_ms()
        with timed("claim"):
            written = self._table.update(self._delivery.id, self._claim_update(now_ms), return_old=True)
        previous = Record.model_validate(written.item) if written.item is not None else None
        if written.is_applied:
            self._win_over(previous)
        elif previous is not None and previous.claim_token == self.token:
            self._win_again(previous)
        else:
            self._lose_to(previous, data_record)

    def _update_record(self, data_record: DataRecord) -> None:
        """Complete or fail, whichever the response says. Raises ClaimLost."""
        facts: dict[str, Any] = json.loads(data_record.response_data)
        now_ms = self._clock.now_ms()
        is_failure = facts.pop(STATUS) == Status.FAILED
        with timed("complete"):
            if is_failure:
                update = transitions.fail(self._delivery.id, self.token, facts, now_ms)
                is_applied = self._table.update(self._delivery.id, update).is_applied
            else:
                is_applied = self._complete(facts, now_ms)
        if not is_applied:
            raise ClaimLost("the lease expired and another worker took the claim over")

    def _complete(self, facts: dict[str, Any], now_ms: int) -> bool:
        """Complete the record, and with it the succession. Returns whether this claim has completed it."""
        key, succession = self._delivery.id, self.succession
        facts = without_implied(facts)
        update = transitions.complete(self.token, facts, now_ms)
        if succession is None:
            return self._table.update(key, update).is_applied
        refused = self._table.update_together({key: update, succession.key: succession.update})
        if refused != succession.key:
            return refused is None
        # The comparison is with a capture that is not the last one any more, unless these very writes made it so.
        update = transitions.complete_once(self.token, without_comparison(facts, OVERTAKEN), now_ms)
        return self._table.update(key, update).is_applied or self._is_completed()

    def _is_completed(self) -> bool:
        """Whether an earlier write of this claim, whose answer was lost, has completed the record."""
        item = self._table.get(self._delivery.id)
        return item is not None and (item[STATUS], item.get(CLAIM_TOKEN)) == (Status.SUCCESS, self.token)

    def _delete_record(self, data_record: DataRecord) -> None:
        """Release, unless another worker has the claim by now."""
        update = transitions.release(self._delivery.id, self.token, self._release_cause, self._clock.now_ms())
        with timed("release"):
            written = self._table.update(self._delivery.id, update)
        if not written.is_applied:
            logger.debug("nothing to release: another worker has the claim", extra={"id": self._delivery.id})

    def _get_record(self, idempotency_key: str) -> DataRecord:
        item = self._table.get(self._delivery.id)
        if item is None:
            raise IdempotencyItemNotFoundError
        return self._to_data_record(Record.model_validate(item))

    def _get_hashed_idempotency_key(self, data: dict[str, Any]) -> str:
        """The key is the screenshot id itself, so that the record can be found by it."""
        return self._delivery.id

    def _get_hashed_payload(self, data: dict[str, Any]) -> str:
        return self._delivery.request.payload_hash

    def save_inprogress(self, data: dict[str, Any], remaining_time_in_millis: int | None = None) -> None:
        """Keep the invocation's remaining time: our own clock counts the lease, and judges its end as well.

        Raises ValueError without a remaining time: Powertools would lock the claim for an hour.
        """
        if remaining_time_in_millis is None:
            raise ValueError("a claim needs the invocation's remaining time: register the Lambda context")
        self._remaining_ms = remaining_time_in_millis
        super().save_inprogress(data, remaining_time_in_millis)

    def delete_record(self, data: dict[str, Any], exception: Exception) -> None:
        """Keep the cause of the release, which Powertools does not pass to `_delete_record`."""
        self._release_cause = exception
        super().delete_record(data, exception)

    def _claim_update(self, now_ms: int) -> Update:
        return transitions.claim(
            self._delivery,
            token=self.token,
            worker_id=self._settings.worker_id,
            now_ms=now_ms,
            lease_expires_at_ms=now_ms + self._remaining_ms + self._settings.lease_margin_ms,
            retention_seconds=self._settings.record_retention_seconds,
        )

    def _win_over(self, previous: Record | None) -> None:
        self.attempts = 1 + (previous.attempts if previous else 0)
        self.replaced_token = previous.claim_token if previous else None
        if previous is not None and previous.status is Status.PROCESSING:
            self.is_takeover = True
            logger.warning(log_messages.STALE_CLAIM, extra=self._stale_holder(previous))

    def _win_again(self, own: Record) -> None:
        """The SDK repeated a call whose answer was lost, so the record in the way is this very claim."""
        logger.debug("the claim was won by a call whose answer was lost", extra={"id": self._delivery.id})
        self.attempts = own.attempts
        # What it replaced is no longer known; only the very first attempt cannot have replaced another.
        self.is_takeover = own.attempts > 1

    def _lose_to(self, holder: Record | None, data_record: DataRecord) -> NoReturn:
        logger.debug("the claim was not won", extra={"id": self._delivery.id})
        if holder is None:
            raise IdempotencyItemAlreadyExistsError
        old = self._to_data_record(holder)
        self._validate_payload(data_payload=data_record, stored_data_record=old)
        raise IdempotencyItemAlreadyExistsError(old_data_record=old)

    def _to_data_record(self, record: Record) -> DataRecord:
        """Remember the record as `found`. Times are left out: only the condition judges a lease."""
        self.found = record
        return DataRecord(
            idempotency_key=record.id,
            status=POWERTOOLS_STATUS[record.status],
            payload_hash=record.payload_hash,
            response_data=json.dumps(record.to_wire()),
        )

    def _stale_holder(self, holder: Record) -> dict[str, Any]:
        lease = holder.lease_expires_at or self.claimed_at_ms
        return {
            "id": self._delivery.id,
            "workerId": self._settings.worker_id,
            "staleWorkerId": holder.worker_id,
            "staleForMs": self.claimed_at_ms - lease,
        }
