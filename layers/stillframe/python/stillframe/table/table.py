"""The table itself: consistent reads and conditional updates of single items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from stillframe.aws_errors import (
    cancellation_codes,
    is_conditional_failure,
    is_transaction_conflict,
    translated_errors,
)
from stillframe.table import transitions
from stillframe.table.attributes import from_attributes, item_key
from stillframe.table.update import Update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A screenshot id cannot contain this character. The item does not exist.
CHECK_KEY = "check#"
# A write that meets another's transaction is refused for the milliseconds that this takes, and boto3 does not send it
# again ("Amazon DynamoDB Transactions: How it works", transaction conflict handling).
MAX_ATTEMPTS = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written:
    """The result of a conditional update.

    `item` is the item as it was before: the one that was replaced when the condition held, the one in the way when it
    did not. None when there was no item, or when it was not asked for.
    """

    is_applied: bool
    item: dict[str, Any] | None = None


class Table:
    """One DynamoDB table. Every method raises ServiceUnavailable when AWS does not do as asked."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: str) -> dict[str, Any] | None:
        """Read one item consistently."""
        with translated_errors("get item"):
            answer = self._client.get_item(TableName=self._name, Key=item_key(key), ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def check(self) -> None:
        """Find out whether items can be updated, without updating one."""
        self.update(CHECK_KEY, transitions.change_nothing())

    def update(self, key: str, update: Update, *, return_old: bool = False) -> Written:
        """Apply an update if its condition holds. `return_old` asks for the item as it was before."""
        wanted: Any = "ALL_OLD" if return_old else "NONE"
        with translated_errors("update item"):
            try:
                answer = _unless_in_conflict(
                    lambda: self._client.update_item(
                        TableName=self._name,
                        Key=item_key(key),
                        **update.to_arguments(),
                        ReturnValues=wanted,
                        ReturnValuesOnConditionCheckFailure=wanted,
                    )
                )
            except ClientError as error:
                if not is_conditional_failure(error):
                    raise
                in_the_way: Any = error.response.get("Item")
                return Written(False, from_attributes(in_the_way) if in_the_way is not None else None)
        old = answer.get("Attributes")
        return Written(True, from_attributes(old) if old else None)

    def update_together(self, updates: Mapping[str, Update]) -> str | None:
        """Apply updates of several items by their keys, all or none: each condition must hold.

        Returns None if they are applied, and otherwise the first key whose condition did not hold.
        """
        items: Any = [
            {"Update": {"TableName": self._name, "Key": item_key(key), **update.to_arguments()}}
            for key, update in updates.items()
        ]
        with translated_errors("transact write items"):
            try:
                _unless_in_conflict(lambda: self._client.transact_write_items(TransactItems=items))
            except ClientError as error:
                codes = zip(updates, cancellation_codes(error), strict=False)
                refused = next((key for key, code in codes if code == "ConditionalCheckFailed"), None)
                if refused is None:
                    raise
                return refused
        return None


def _unless_in_conflict(call: Callable[[], T]) -> T:
    """The answer of a write, which is sent again while another's transaction is in its way. Raises ClientError."""
    for _ in range(MAX_ATTEMPTS - 1):
        try:
            return call()
        except ClientError as error:
            if not is_transaction_conflict(error):
                raise
    return call()
