"""Attributes that most records need not hold, because the others say the same: DynamoDB charges for each KB of a write.

Readers of a record see all of them, by stillframe.table.record. Those of a bare item see them only where they differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# A URL that is not known, for instance because it is too long to be kept.
UNKNOWN_URL = ""
FINAL_URL, HTTP_STATUS = "finalUrl", "httpStatus"
REQUESTS, FAILED_REQUESTS = "requests", "failedRequests"


def without_implied(facts: Mapping[str, Any], url: str) -> dict[str, Any]:
    """The facts that a success of this URL has to hold, by wire name.

    A page that has answered has no final URL if that is the requested one, and no failed requests if there are none.
    """
    kept = dict(facts)
    if HTTP_STATUS in kept:
        final_url = kept.pop(FINAL_URL, UNKNOWN_URL)
        if final_url != url:
            kept[FINAL_URL] = final_url
    if REQUESTS in kept and kept.get(FAILED_REQUESTS) == 0:
        del kept[FAILED_REQUESTS]
    return kept


def implied_final_url(held: str | None, url: str, http_status: int | None) -> str | None:
    """The final URL of a success that holds this one, or none."""
    if held is None and http_status is not None:
        return url
    return held or None


def implied_failed_requests(held: int | None, requests: int | None) -> int | None:
    """The failed requests of a success that holds this number, or none."""
    return 0 if held is None and requests is not None else held
