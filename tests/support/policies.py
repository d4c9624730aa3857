"""Evaluates a resource's policy as IAM does, with the condition operators that the templates use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

ACCOUNT = "111111111111"


@dataclass(frozen=True, slots=True)
class Call:
    """A call by a service or an account, with the context keys that IAM knows about it."""

    principal: str
    action: str
    context: Mapping[str, str] = field(default_factory=dict)


def is_allowed(policy: Mapping[str, Any], call: Call) -> bool:
    """Whether the policy of a resource alone allows a call: some statement allows it, and none denies it."""
    effects = {each["Effect"] for each in policy["Statement"] if _applies(each, call)}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], call: Call) -> bool:
    return (
        _names(statement["Principal"], call.principal)
        and any(fnmatchcase(call.action.lower(), each.lower()) for each in _list(statement["Action"]))
        and all(_holds(operator, keys, call) for operator, keys in statement.get("Condition", {}).items())
    )


def _names(principal: Any, name: str) -> bool:
    named = ["*"] if principal == "*" else [each for values in principal.values() for each in _list(values)]
    return "*" in named or name in named


def _holds(operator: str, keys: Mapping[str, Any], call: Call) -> bool:
    """A condition holds if each of its keys has one of the values. A key that the call lacks has none."""
    if operator not in ("StringEquals", "Bool"):
        raise NotImplementedError(f"the condition operator {operator}")
    return all(call.context.get(key) in [_text(each) for each in _list(values)] for key, values in keys.items())


def _text(value: Any) -> str:
    return ACCOUNT if value == {"Ref": "AWS::AccountId"} else str(value)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
