"""The one tab of a capture, in a browser context of its own, with a guard of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyppeteer.connection import CDPSession

from .browser import Chromium

# What has to be heard from the beginning on. Log, Performance and Security, which pyppeteer's Page would switch on as
# well, tell what nobody here asks for.
DOMAINS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Page.enable", {}),
    ("Page.setLifecycleEventsEnabled", {"enabled": True}),
    ("Network.enable", {}),
    ("Runtime.enable", {}),
    ("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": True}),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """A page that has not begun: what it is told is answered once it has a document to go to.

    `crash` is done when its renderer dies, which leaves calls on it without an answer.
    """

    context_id: str
    session: CDPSession
    frame_id: str
    crash: asyncio.Future[None]
    chromium: Chromium

    @classmethod
    async def open(cls, chromium: Chromium, proxy: str) -> Tab:
        """The caller bounds the time."""
        context_id = await chromium.new_context(proxy)
        session, target_id = await chromium.new_page(context_id)
        crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_crash(_: Any) -> None:
            if not crash.done():
                crash.set_result(None)

        session.on("Inspector.targetCrashed", on_crash)
        for domain in DOMAINS:
            session.send(*domain)
        # A page's main frame has the id of its target.
        return cls(context_id, session, target_id, crash, chromium)

    def permit(self, permissions: Sequence[str]) -> asyncio.Future[Any]:
        """Deny all permissions but these (names of the DevTools protocol), without asking."""
        return self.chromium.permit(self.context_id, permissions)

    def navigate(self, url: str) -> asyncio.Future[dict[str, Any]]:
        """Begin with a document; the answer is that of `Page.navigate`.

        What was sent before is heard first: the browser takes commands in their order.
        """
        answer: asyncio.Future[dict[str, Any]] = self.session.send("Page.navigate", {"url": url})
        self.session.send("Runtime.runIfWaitingForDebugger")
        return answer

    def dismiss_dialogs(self) -> None:
        """An open dialog stops the page. Leaving is agreed to, everything else is dismissed."""

        def on_dialog(event: dict[str, Any]) -> None:
            self.session.send("Page.handleJavaScriptDialog", {"accept": event["type"] == "beforeunload"})

        self.session.on("Page.javascriptDialogOpening", on_dialog)
