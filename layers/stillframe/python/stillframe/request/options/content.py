"""The page's content: its source, what it may not load, and how it is changed before the screenshot."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from .style_sheets import check_style_sheet
from .wire import Flag, Selector, WireModel

# The size of all options together is limited in bytes: see model.py.
MAX_HTML_CHARS = 100_000
MAX_CODE_CHARS = 50_000
MAX_LIST_ITEMS = 100


class ResourceType(StrEnum):
    """The type that the browser assigns to a request (CDP, Network.ResourceType)."""

    IMAGE = "image"
    FONT = "font"
    MEDIA = "media"
    STYLESHEET = "stylesheet"
    SCRIPT = "script"
    XHR = "xhr"
    FETCH = "fetch"
    WEB_SOCKET = "websocket"
    EVENT_SOURCE = "eventsource"
    MANIFEST = "manifest"
    PING = "ping"
    OTHER = "other"

    @property
    def protocol_name(self) -> str:
        """The name of the type in the DevTools protocol."""
        special = {"xhr": "XHR", "websocket": "WebSocket", "eventsource": "EventSource"}
        return special.get(self.value, self.value.capitalize())


UrlPattern = Annotated[str, Field(min_length=1, max_length=1000)]
Referer = Annotated[
    str, Field(pattern=r"^https?://[\x21-\x7e]{1,2040}$", description="an http or https URL of up to 2048 characters")
]
Selectors = Annotated[tuple[Selector, ...], Field(max_length=MAX_LIST_ITEMS)]


class Place(WireModel):
    """A distance from the top of an element in CSS pixels. A negative one leaves room above it, as for a header."""

    selector: Selector
    offset: Annotated[int, Field(ge=-10_000, le=10_000, strict=True)] = 0


class ContentOptions(WireModel):
    """The page's source and changes to it. `html` is rendered as if the request's URL had returned it."""

    html: Annotated[str, Field(min_length=1, max_length=MAX_HTML_CHARS)] | None = None
    offline: Flag = False
    # The page that the visitor comes from.
    referer: Referer | None = None
    block_resources: Annotated[tuple[ResourceType, ...], Field(max_length=len(ResourceType))] = ()
    # `*` matches any text, `?` any character.
    block_urls: Annotated[tuple[UrlPattern, ...], Field(max_length=MAX_LIST_ITEMS)] = ()
    # Includes trackers.
    block_ads: Flag = False
    # A banner is answered "no".
    block_cookie_banners: Flag = False
    css: Annotated[str, Field(max_length=MAX_CODE_CHARS), AfterValidator(check_style_sheet)] | None = None
    js: Annotated[str, Field(max_length=MAX_CODE_CHARS)] | None = None
    # Runs before the scripts of the page, in every frame.
    init_script: Annotated[str, Field(min_length=1, max_length=MAX_CODE_CHARS)] | None = None
    hide: Selectors = ()
    remove: Selectors = ()
    click: Selectors = ()
    scroll_to: Selector | Annotated[int, Field(ge=0, le=1_000_000, strict=True)] | Place | None = None

    @model_validator(mode="after")
    def refuse_offline_pages(self) -> Self:
        if self.offline and self.html is None:
            raise ValueError("offline needs html: without a network, no page can be requested")
        return self
