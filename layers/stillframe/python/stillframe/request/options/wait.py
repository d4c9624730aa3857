"""When a page is ready to be pictured."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .wire import Flag, Selector, WireModel

MAX_EXPRESSION_CHARS = 10_000


class WaitUntil(StrEnum):
    """When a page counts as ready."""

    # Loaded, its fonts there, its images decoded, its layout still, its network quiet.
    SETTLED = "settled"
    LOAD = "load"
    DOM_CONTENT_LOADED = "domcontentloaded"
    # 500 ms without a request under way.
    NETWORK_IDLE = "networkidle"


class WaitOptions(WireModel):
    """All that is waited for, within `timeout_ms`; then `delay_ms` on top."""

    wait_until: WaitUntil = WaitUntil.SETTLED
    wait_for_selector: Selector | None = None
    # An expression of the page's own JavaScript that becomes true.
    wait_for_function: Annotated[str, Field(min_length=1, max_length=MAX_EXPRESSION_CHARS)] | None = None
    delay_ms: Annotated[int, Field(ge=0, le=30_000, strict=True)] = 0
    timeout_ms: Annotated[int, Field(ge=100, le=120_000, strict=True)] = 30_000
    # At the time-out a page that has a document is pictured as it is, unless this is set.
    strict: Flag = False
    fail_on_status: Flag = False
