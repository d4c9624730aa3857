"""Event patterns as EventBridge and Lambda's filters evaluate them; what is not known here raises NotImplementedError.

"Comparison operators for use in event patterns" of the Amazon EventBridge User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether every field of the pattern is in the event, with one of the values."""
    # What is absent has no fields, so that "exists: false" holds of each.
    event = {} if event is None else event
    if not isinstance(event, Mapping):
        return False
    return all(_holds(wanted, event, name) for name, wanted in pattern.items())


def _holds(wanted: Any, event: Mapping[str, Any], name: str) -> bool:
    if isinstance(wanted, Mapping):
        return matches(wanted, event.get(name))
    return any(_is(each, event.get(name)) for each in wanted)


def _is(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return bool(value == wanted)
    if wanted.keys() == {"anything-but"}:
        return value is not None and value not in wanted["anything-but"]
    if wanted.keys() == {"exists"}:
        return bool((value is not None) is wanted["exists"])
    if wanted.keys() == {"prefix"}:
        return isinstance(value, str) and value.startswith(wanted["prefix"])
    raise NotImplementedError(f"{wanted} in an event pattern")
