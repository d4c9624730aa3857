"""Consent banners, answered with no by DuckDuckGo's autoconsent, which knows the common ones and clicks for us."""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable
from typing import Any

from pyppeteer.connection import CDPSession

from . import vendor
from .preparation import Preparation

# What the script says on the page's console, in whichever frame it is. A page may say so too: it costs some rounds.
SAID = re.compile(r"autoconsent (found popup|opt-out result|done): (.{1,100})")
# A page that shows no banner in that many rounds has none; one that does is waited for longer.
ROUNDS_WITHOUT = 2
MAX_ROUNDS = 10


@functools.cache
def script() -> str:
    """The script as it was published; to opt out is its default."""
    return vendor.read(vendor.AUTOCONSENT)


class Consent:
    """Answers the banner of one page. `answered` is the name of what was answered."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._is_found = self._is_done = False
        self.answered: str | None = None
        session.on("Runtime.consoleAPICalled", self._on_console)

    def install(self, page: Preparation) -> None:
        """Before navigating; in every frame. It has to be part of the page, whose functions it calls."""
        page.send("Page.addScriptToEvaluateOnNewDocument", {"source": script()})

    async def answer(self, go_on: Callable[[], Awaitable[None]]) -> None:
        """Let the page go on, round by round, until its banner is answered or it is clear that there is none."""
        for number in range(MAX_ROUNDS):
            await go_on()
            if self._is_done or (not self._is_found and number + 1 >= ROUNDS_WITHOUT):
                return

    def _on_console(self, event: dict[str, Any]) -> None:
        values = [argument.get("value") for argument in event["args"]]
        said = SAID.fullmatch(values[0]) if values and isinstance(values[0], str) else None
        if said is None:
            return
        what, name = said.groups()
        if what == "found popup":
            self._is_found = True
        elif what == "done":
            self._is_done, self.answered = True, name
        elif values[1:] == [False]:
            self._is_done = True
