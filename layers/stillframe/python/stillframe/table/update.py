"""A conditional DynamoDB update as a value, written out into the API's expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stillframe.table.attributes import to_attributes

PLACEHOLDER = re.compile(r"#(\w+)")


@dataclass(frozen=True, slots=True)
class Update:
    """Attributes to set and to remove, under a condition.

    `condition` and `set_expressions` write an attribute as `#name`: several names are reserved words, for which
    DynamoDB wants a placeholder. `values` are those of the condition and the expressions, by their placeholders
    (`:now`).
    """

    set_values: Mapping[str, Any]
    condition: str
    remove: tuple[str, ...] = ()
    set_expressions: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def to_arguments(self) -> dict[str, Any]:
        """The arguments of `update_item`, without table and key."""
        expression = "SET " + ", ".join(
            [*(f"#{name} = :set_{name}" for name in self.set_values), *self.set_expressions]
        )
        if self.remove:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in self.remove)
        return {
            "UpdateExpression": expression,
            "ConditionExpression": self.condition,
            "ExpressionAttributeNames": {
                f"#{name}": name for name in PLACEHOLDER.findall(f"{expression} {self.condition}")
            },
            "ExpressionAttributeValues": to_attributes(
                {f":set_{name}": value for name, value in self.set_values.items()} | dict(self.values)
            ),
        }
