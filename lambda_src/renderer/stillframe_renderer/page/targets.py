"""What a page has besides its own process: frames of other sites, and workers. Each waits for what it is to be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyppeteer.connection import CDPSession

from ..chromium.tab import Tab
from ..chromium.transport import PipeSession

FRAME = "iframe"
SERVICE_WORKER = "service_worker"
WORKERS = frozenset({"worker", "shared_worker", SERVICE_WORKER})
# Whatever is attached stands still until it is let go, so that nothing it does is missed.
ATTACH = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}

# Called with the kind of a target, its session, and its URL.
Follower = Callable[[str, PipeSession, str], None]


class Targets:
    """The targets of one tab, and the targets within those."""

    def __init__(self, tab: Tab) -> None:
        self._connection = tab.chromium.connection
        self._before_start: list[Follower] = []
        self._after_start: list[Follower] = []
        self._attach(tab.session)
        tab.chromium.follow_workers(tab.context_id, self._on_target)

    def before_start(self, follower: Follower) -> None:
        """Have this called for each target, to listen to it and to send it commands before it runs."""
        self._before_start.append(follower)

    def after_start(self, follower: Follower) -> None:
        """Have this called for each target, to send it commands that it answers once it runs."""
        self._after_start.append(follower)

    def _attach(self, session: CDPSession) -> None:
        session.on("Target.attachedToTarget", self._on_target)
        session.send("Target.setAutoAttach", ATTACH)

    def _on_target(self, event: dict[str, Any]) -> None:
        target = event["targetInfo"]
        kind, url = target["type"], target["url"]
        session = self._connection.adopt(kind, event["sessionId"])
        # The other workers have none of their own.
        if kind in (FRAME, "worker"):
            self._attach(session)
        for follower in self._before_start:
            follower(kind, session, url)
        session.send("Runtime.runIfWaitingForDebugger")
        for follower in self._after_start:
            follower(kind, session, url)
