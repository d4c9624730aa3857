"""A conditional DynamoDB update as a value, written out into the API's expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from stillframe.record import to_attributes


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
