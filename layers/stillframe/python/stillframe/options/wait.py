"""When a page is ready to be pictured."""

from __future__ import annotations

from enum import StrEnum


class WaitUntil(StrEnum):
    """The event after which a page counts as ready."""

    LOAD = "load"
    DOM_CONTENT_LOADED = "domcontentloaded"
    NETWORK_IDLE = "networkidle"
