"""The request's script that runs before those of the page, in every frame."""

from __future__ import annotations

from typing import Any

from pyppeteer.connection import CDPSession

from ..chromium.tab import Tab
from ..chromium.transport import PipeConnection
from .preparation import Preparation

# Whatever is attached waits, so that a frame of another site, which has a process of its own, gets the script in time.
WAIT_FOR_SCRIPT = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}


def install_init_script(page: Preparation, tab: Tab, script: str) -> None:
    """Call before navigating."""
    page.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    page.send("Target.setAutoAttach", WAIT_FOR_SCRIPT)
    _follow(tab.session, tab.chromium.connection, script)


def _follow(session: CDPSession, connection: PipeConnection, script: str) -> None:
    """Give the script to the frames that attach to a session, and to those within them. Workers just go on."""

    def on_target(event: dict[str, Any]) -> None:
        kind = event["targetInfo"]["type"]
        target = connection.adopt(kind, event["sessionId"])
        if kind == "iframe":
            _follow(target, connection, script)
            # A script is only added to a page that is being inspected.
            target.send("Page.enable")
            target.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})
            target.send("Target.setAutoAttach", WAIT_FOR_SCRIPT)
        target.send("Runtime.runIfWaitingForDebugger")

    session.on("Target.attachedToTarget", on_target)
