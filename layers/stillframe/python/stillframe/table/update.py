"""A conditional DynamoDB update as a value, written out into the API's expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import ServiceUnavailable
from stillframe.table.record import PARTITION_KEY, to_attributes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def is_conditional_failure(error: ClientError) -> bool:
    """Whether a write was refused by its own condition, which is expected, and not by AWS."""
    return error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class Update:
    """Attributes to set and to remove under a condition. `#status` is always usable in the condition."""

    set_values: Mapping[str, Any]
    condition: str
    remove: tuple[str, ...] = ()
    set_expressions: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def with_values(self, values: Mapping[str, Any]) -> Update:
        """The same update with more values for its condition."""
        return replace(self, values={**self.values, **values})

    def apply(self, client: DynamoDBClient, table_name: str, key: str) -> bool:
        """Write it to the item of that key. Whether its condition held. Raises ServiceUnavailable."""
        try:
            client.update_item(TableName=table_name, Key=to_attributes({PARTITION_KEY: key}), **self.to_arguments())
        except ClientError as error:
            if is_conditional_failure(error):
                return False
            raise ServiceUnavailable(f"update item: {error}") from error
        except BotoCoreError as error:
            raise ServiceUnavailable(f"update item: {error}") from error
        return True

    def to_arguments(self) -> dict[str, Any]:
        """Arguments of `update_item`. Every name goes through a placeholder: several are reserved words."""
        names = {f"#set_{name}": name for name in self.set_values} | {f"#del_{name}": name for name in self.remove}
        assignments = [f"#set_{name} = :set_{name}" for name in self.set_values]
        expression = "SET " + ", ".join([*assignments, *self.set_expressions])
        if self.remove:
            expression += " REMOVE " + ", ".join(f"#del_{name}" for name in self.remove)
        if "#status" in self.condition:
            names["#status"] = "status"
        values = {f":set_{name}": value for name, value in self.set_values.items()} | dict(self.values)
        return {
            "UpdateExpression": expression,
            "ConditionExpression": self.condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_attributes(values),
        }
