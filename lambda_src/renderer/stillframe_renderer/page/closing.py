"""Keeping a page from closing its own tab, as a browser does for a tab that its user has opened."""

from __future__ import annotations

from .preparation import Preparation
from .world import WORLD_NAME

# A page may close a tab that it is the only entry of (HTML, 7.2.2.1, "script-closable"). So it is given a second entry,
# for the same document: the page sees what it sees in a tab that has shown another page before. Replacing
# `window.close` would be seen as well, and would not stop a frame, which has a function of its own.
# The tab's own first document has no address, so it takes no entry.
SECOND_ENTRY = """if (window === top && history.length < 2 && location.protocol.startsWith('http')) {
  history.pushState(history.state, '');
}"""


def keep_open(page: Preparation) -> None:
    """Call before navigating. From then on, no script of the page or of its frames closes the tab."""
    page.send("Page.addScriptToEvaluateOnNewDocument", {"source": SECOND_ENTRY, "worldName": WORLD_NAME})
