"""Captures of one page over time: which one was the last, for those that are compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import ServiceUnavailable
from stillframe.table.record import PARTITION_KEY, TIME_TO_LIVE, Record, Status, from_attributes, to_attributes
from stillframe.table.update import Update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# No screenshot id has this character, so no record is where such an item is.
PREFIX = "previous#"


@dataclass(frozen=True, slots=True)
class EarlierCapture:
    """A capture to compare with."""

    id: str
    s3_key: str


class LastCaptures:
    """An item of the table for each request (url and options) that compares with the previous one of its kind.

    It is written when an image is stored and read when the next one is: two captures under way at once are compared
    with the same earlier one.
    """

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def last(self, payload_hash: str) -> EarlierCapture | None:
        """The last capture of a request. Raises ServiceUnavailable."""
        item = self._read(PREFIX + payload_hash)
        return EarlierCapture(item["captureId"], item["s3Key"]) if item is not None else None

    def capture(self, screenshot_id: str) -> EarlierCapture | None:
        """The capture of an id, when it succeeded. Raises ServiceUnavailable."""
        item = self._read(screenshot_id)
        record = Record.model_validate(item) if item is not None else None
        if record is None or record.status is not Status.SUCCESS or record.s3_key is None:
            return None
        return EarlierCapture(record.id, record.s3_key)

    def advance(self, payload_hash: str, capture: EarlierCapture, claimed_at_ms: int, expires_at: int) -> None:
        """The capture is the last one now, unless a later one is. Raises ServiceUnavailable."""
        update = Update(
            set_values={
                "captureId": capture.id,
                "s3Key": capture.s3_key,
                "claimedAt": claimed_at_ms,
                TIME_TO_LIVE: expires_at,
            },
            condition="attribute_not_exists(claimedAt) OR claimedAt <= :mine",
            values={":mine": claimed_at_ms},
        )
        update.apply(self._client, self._table_name, PREFIX + payload_hash)

    def _read(self, key: str) -> dict[str, Any] | None:
        try:
            answer = self._client.get_item(TableName=self._table_name, Key=_key(key), ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise ServiceUnavailable(f"get item: {error}") from error
        return from_attributes(answer["Item"]) if "Item" in answer else None


def _key(value: str) -> dict[str, Any]:
    return to_attributes({PARTITION_KEY: value})
