"""The one tab of a capture, in a browser context of its own, with a guard of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyppeteer.connection import CDPSession

from .browser import Chromium

# Commands that enable the events needed from the start. pyppeteer's Page would also enable Log, Performance and
# Security, whose events are not used here.
ENABLING_COMMANDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Page.enable", {}),
    ("Page.setLifecycleEventsEnabled", {"enabled": True}),
    ("Network.enable", {}),
    ("Runtime.enable", {}),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """A page without a document yet: it answers commands once it has one to navigate to.

    `crash` is done when the page's renderer dies, after which commands to the page are never answered. `referrer` is
    where its visitor comes from.
    """

    context_id: str
    session: CDPSession
    frame_id: str
    crash: asyncio.Future[None]
    chromium: Chromium
    referrer: str | None = None

    @classmethod
    async def open(cls, chromium: Chromium, proxy: str) -> Tab:
        """Open a tab in a context of its own. The caller bounds the time."""
        context_id = await chromium.new_context(proxy)
        session, target_id = await chromium.new_page(context_id)
        crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_crash(_: Any) -> None:
            if not crash.done():
                crash.set_result(None)

        session.on("Inspector.targetCrashed", on_crash)
        for command in ENABLING_COMMANDS:
            session.send(*command)
        # The id of a page's main frame is that of its target.
        return cls(context_id, session, target_id, crash, chromium)

    def permit(self, permissions: Sequence[str]) -> asyncio.Future[Any]:
        """Grant these permissions (DevTools protocol names), and deny all others without a prompt."""
        return self.chromium.permit(self.context_id, permissions)

    def navigate(self, url: str) -> asyncio.Future[dict[str, Any]]:
        """Navigate to a document. Returns the answer to `Page.navigate`.

        The browser processes commands in order, so those sent before take effect first.
        """
        # The policy is for this request alone: the whole URL is sent, to another origin as well.
        origin = {"referrer": self.referrer, "referrerPolicy": "unsafeUrl"} if self.referrer else {}
        answer: asyncio.Future[dict[str, Any]] = self.session.send("Page.navigate", {"url": url, **origin})
        self.session.send("Runtime.runIfWaitingForDebugger")
        return answer

    def dismiss_dialogs(self) -> None:
        """Dismiss dialogs, which would block the page, but allow it to be left ("beforeunload")."""

        def on_dialog(event: dict[str, Any]) -> None:
            self.session.send("Page.handleJavaScriptDialog", {"accept": event["type"] == "beforeunload"})

        self.session.on("Page.javascriptDialogOpening", on_dialog)
