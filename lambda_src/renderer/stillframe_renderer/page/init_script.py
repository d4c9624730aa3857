"""The request's script that runs before those of the page, in every frame."""

from __future__ import annotations

from ..chromium.transport import PipeSession
from .preparation import Preparation
from .targets import FRAME, Targets


def install_init_script(page: Preparation, targets: Targets, script: str) -> None:
    """Call before navigating."""

    def install(kind: str, session: PipeSession, url: str) -> None:
        if kind == FRAME:
            # A script is only added to a page that is being inspected.
            session.send("Page.enable")
            session.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    page.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    targets.before_start(install)
