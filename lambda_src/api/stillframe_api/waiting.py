"""`Prefer: wait=N` (RFC 7240, 4.3): the answer to a request is delayed until its image is there, and leads to it."""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_WAIT_SECONDS = 25
PREFERENCE = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=[,;]|$)", re.IGNORECASE)


def preferred_wait(headers: Mapping[str, str]) -> int:
    """The seconds that the caller prefers to wait, at most 25; 0 without a preference. What is malformed is ignored.

    RFC 7240, 2: "A server that does not recognize or is unable to comply with particular preference tokens [...] MUST
    ignore those tokens".
    """
    text = next((value for name, value in headers.items() if name.lower() == "prefer"), "")
    found = PREFERENCE.search(text)
    return min(int(found[1]), MAX_WAIT_SECONDS) if found else 0
