"""Consent banners, answered "no" by DuckDuckGo's autoconsent, which knows the common ones and clicks through them."""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable
from typing import Any

from pyppeteer.connection import CDPSession

from . import vendor
from .preparation import Preparation

# What the script logs to the page's console, in any frame. A page that forges these messages only costs some rounds.
LOG_PATTERN = re.compile(r"autoconsent (found popup|opt-out result|done): (.{1,100})")
# A page that shows no banner in this many rounds has none. A banner that was found gets more time.
MAX_ROUNDS_WITHOUT_BANNER = 2
MAX_ROUNDS = 10


@functools.cache
def script() -> str:
    """The script as published. Its default is to opt out."""
    return vendor.read(vendor.AUTOCONSENT)


class Consent:
    """Answers the consent banner of one page. `answered` is the name of the banner that was answered."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._is_found = self._is_done = False
        self.answered: str | None = None
        session.on("Runtime.consoleAPICalled", self._on_console)

    def install(self, page: Preparation) -> None:
        """Call before navigating. The script runs in every frame, as part of the page, whose functions it calls."""
        page.send("Page.addScriptToEvaluateOnNewDocument", {"source": script()})

    async def answer(self, let_page_run: Callable[[], Awaitable[None]]) -> None:
        """Let the page run, round by round, until its banner is answered or it evidently has none."""
        for rounds in range(1, MAX_ROUNDS + 1):
            await let_page_run()
            if self._is_done or (not self._is_found and rounds >= MAX_ROUNDS_WITHOUT_BANNER):
                return

    def _on_console(self, event: dict[str, Any]) -> None:
        values = [argument.get("value") for argument in event["args"]]
        message = LOG_PATTERN.fullmatch(values[0]) if values and isinstance(values[0], str) else None
        if message is None:
            return
        event_name, name = message.groups()
        if event_name == "found popup":
            self._is_found = True
        elif event_name == "done":
            self._is_done, self.answered = True, name
        elif values[1:] == [False]:
            self._is_done = True
