"""The one tab of a capture, in a browser context of its own, with a guard of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyppeteer.browser import BrowserContext
from pyppeteer.connection import CDPSession
from pyppeteer.page import Page

from .chromium import Chromium

DRIVERS_NETWORK_EVENTS = (
    "Network.requestWillBeSent",
    "Network.requestIntercepted",
    "Network.requestServedFromCache",
    "Network.responseReceived",
    "Network.loadingFinished",
    "Network.loadingFailed",
)


@dataclass(frozen=True, slots=True)
class Tab:
    """A fresh page. `crash` is done when its renderer dies, which leaves calls on it without an answer."""

    context: BrowserContext
    page: Page
    crash: asyncio.Future[None]
    user_agent: str

    @classmethod
    async def open(cls, chromium: Chromium, proxy: str, permissions: Sequence[str] = ()) -> Tab:
        """The caller bounds the time: newPage was seen to hang on a cold start (pyppeteer #332)."""
        context = await chromium.new_context(proxy, permissions)
        page = await context.newPage()
        # The driver keeps objects of its own for every request, which nobody here asks for.
        for event in DRIVERS_NETWORK_EVENTS:
            page._client.remove_all_listeners(event)
        crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_crash(_: Any) -> None:
            if not crash.done():
                crash.set_result(None)

        page.on("error", on_crash)
        return cls(context, page, crash, chromium.user_agent)

    @property
    def session(self) -> CDPSession:
        return self.page._client

    @property
    def frame_id(self) -> str:
        return str(self.page.mainFrame._id)

    def dismiss_dialogs(self) -> None:
        """An open dialog stops the page. Leaving is agreed to, everything else is dismissed."""

        def on_dialog(event: dict[str, Any]) -> None:
            self.session.send("Page.handleJavaScriptDialog", {"accept": event["type"] == "beforeunload"})

        self.session.on("Page.javascriptDialogOpening", on_dialog)
