"""Attributes that most records need not hold, as others tell them, or as they are what they nearly always are.

DynamoDB charges for each KB. Readers of a record see all of them, by stillframe.table.record; those of a bare item see
them only where they differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stillframe.cost import usd_by_architecture

# Whether a record has the facts of a page at all: an image that was adopted has few of them, and one of version 0.1,
# which had no memory size, holds all that it has.
FACTS = ("requests", "memoryMb")
ORDINARY: Mapping[str, Any] = {"failedRequests": 0, "settled": True, "pageContentType": "text/html"}
BILLED_MS, MEMORY_MB, ESTIMATED_USD = "billedMs", "memoryMb", "estimatedUsd"


def without_implied(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that a success has to hold, by wire name. One that is not known is held as such."""
    kept = dict(facts)
    if all(name in kept for name in FACTS):
        for name, ordinary in ORDINARY.items():
            if kept.get(name) == ordinary:
                del kept[name]
            else:
                kept.setdefault(name, None)
    if _has_cost(kept):
        kept.pop(ESTIMATED_USD, None)
    return kept


def with_implied(item: Mapping[str, Any]) -> dict[str, Any]:
    """A success with what it does not hold, by wire name."""
    full = {**ORDINARY, **item} if all(name in item for name in FACTS) else dict(item)
    if _has_cost(full):
        full.setdefault(ESTIMATED_USD, usd_by_architecture(full[BILLED_MS], full[MEMORY_MB]))
    return full


def _has_cost(facts: Mapping[str, Any]) -> bool:
    return BILLED_MS in facts and MEMORY_MB in facts
