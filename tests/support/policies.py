"""Evaluates policies as IAM does, those of resources and of identities, with the condition operators in the templates.

"Policy evaluation logic" of the IAM User Guide; what it does not know raises NotImplementedError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .needed_permissions import Permission

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


def permits(statements: Sequence[Mapping[str, Any]], needed: Permission) -> bool:
    """Whether the statements of an identity's policies, without references, permit what is needed."""
    return {each["Effect"] for each in statements if covers(each, needed)} == {"Allow"}


def covers(statement: Mapping[str, Any], needed: Permission) -> bool:
    """Whether a statement of an identity's policy is about this action on this resource."""
    if unknown := statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}:
        raise NotImplementedError(f"{unknown} in a statement")
    call = Call("", needed.action, needed.context)
    return (
        any(fnmatchcase(needed.action.lower(), each.lower()) for each in as_list(statement["Action"]))
        and any(fnmatchcase(needed.resource, each) for each in as_list(statement["Resource"]))
        and all(_holds(operator, keys, call) for operator, keys in statement.get("Condition", {}).items())
    )


def _applies(statement: Mapping[str, Any], call: Call) -> bool:
    return (
        _names(statement["Principal"], call.principal)
        and any(fnmatchcase(call.action.lower(), each.lower()) for each in as_list(statement["Action"]))
        and all(_holds(operator, keys, call) for operator, keys in statement.get("Condition", {}).items())
    )


def _names(principal: Any, name: str) -> bool:
    named = ["*"] if principal == "*" else [each for values in principal.values() for each in as_list(values)]
    return "*" in named or name in named


def _holds(operator: str, keys: Mapping[str, Any], call: Call) -> bool:
    """A condition holds if each of its keys has one of the values. A key that the call lacks has none."""
    if operator in ("ForAllValues:StringLike", "ForAllValues:StringNotLike"):
        # The calls here have one value for a key, or none, and of none the condition holds.
        is_like = all(
            key not in call.context or any(fnmatchcase(call.context[key], each) for each in as_list(values))
            for key, values in keys.items()
        )
        return is_like if operator == "ForAllValues:StringLike" else not is_like
    if operator == "ArnLike":
        return all(
            any(fnmatchcase(call.context.get(key, ""), each) for each in as_list(values))
            for key, values in keys.items()
        )
    if operator not in ("StringEquals", "Bool"):
        raise NotImplementedError(f"the condition operator {operator}")
    return all(call.context.get(key) in [_text(each) for each in as_list(values)] for key, values in keys.items())


def _text(value: Any) -> str:
    return ACCOUNT if value == {"Ref": "AWS::AccountId"} else str(value)


def as_list(value: Any) -> Sequence[Any]:
    """One value may stand without a list in a policy."""
    return value if isinstance(value, list) else [value]
