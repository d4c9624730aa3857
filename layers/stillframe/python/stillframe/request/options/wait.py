"""When a page is ready to be captured."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .wire import Flag, Selector, WireModel

MAX_EXPRESSION_CHARS = 10_000


class WaitUntil(StrEnum):
    """When a page counts as ready."""

    # Loaded, with fonts and decoded images, a stable layout and a quiet network.
    SETTLED = "settled"
    LOAD = "load"
    DOM_CONTENT_LOADED = "domcontentloaded"
    # 500 ms without a request in progress.
    NETWORK_IDLE = "networkidle"


class WaitOptions(WireModel):
    """What is waited for, within `timeout_ms`; `delay_ms` is added at the end."""

    wait_until: WaitUntil = WaitUntil.SETTLED
    wait_for_selector: Selector | None = None
    # A JavaScript expression, evaluated in the page until it is true. A function is called, a promise is awaited.
    wait_for_function: Annotated[str, Field(min_length=1, max_length=MAX_EXPRESSION_CHARS)] | None = None
    delay_ms: Annotated[int, Field(ge=0, le=30_000, strict=True)] = 0
    timeout_ms: Annotated[int, Field(ge=100, le=120_000, strict=True)] = 30_000
    # At the timeout, a page that has a document is captured as it is, unless this is set.
    strict: Flag = False
    fail_on_status: Flag = False
    fail_on_console_error: Flag = False
    # Also if it is answered with 4xx or 5xx.
    fail_on_resource_error: Flag = False
