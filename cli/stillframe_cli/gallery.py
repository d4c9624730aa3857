"""The gallery page of `shoot`: all results on one page that works from disk, without a server and without a network."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .local.folder import OutputFolder
from .templates import environment

GALLERY_NAME = "index.html"

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """What the gallery shows of one screenshot. `folded` counts its further messages by outcome and reason.

    `before` is the file that its image was compared with, if that is in the same gallery.
    """

    result: Result
    folded: Mapping[str, int]
    before: str | None

    @property
    def link(self) -> str | None:
        """The URL, if a browser may follow it."""
        url = str(self.result.get("url") or "")
        return url if urlsplit(url).scheme in ("http", "https") else None

    @property
    def is_pdf(self) -> bool:
        return str(self.result.get("file") or "").endswith(".pdf")

    @property
    def status_class(self) -> str:
        """Of the HTTP status, such as `4xx`; empty if there is none."""
        status = self.result.get("httpStatus")
        return f"{status // 100}xx" if isinstance(status, int) else ""

    @property
    def text(self) -> str:
        """What the search looks at."""
        names = ("title", "url", "finalUrl", "id", "status", "httpStatus", "reason", "errorCode", "tenant")
        return " ".join(str(self.result[name]) for name in names if self.result.get(name)).lower()


def write_gallery(directory: Path, results: Sequence[Result], title: str) -> Path:
    """Write `index.html` beside the images and return its path. Raises RunStopped."""
    cards = cards_of(results)
    page = (
        environment()
        .get_template("gallery.html.j2")
        .render(
            title=title,
            cards=cards,
            # Of the messages, not of the cards: it agrees with what the command printed.
            outcomes=sorted(Counter(str(result["outcome"]) for result in results).items()),
            status_classes=sorted({card.status_class for card in cards} - {""}),
            records=[{**card.result, "before": card.before} for card in cards],
            began=_moment(results),
            seconds=_seconds(results),
            megabytes=sum(result.get("bytes") or 0 for result in results) / 1e6,
        )
    )
    return OutputFolder(directory).write(GALLERY_NAME, page.encode())


def cards_of(results: Sequence[Result]) -> list[Card]:
    """A card for each screenshot, in the order of the results. Duplicates are folded into the one with the image."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(str(result["id"]), []).append(result)
    files = {str(result["id"]): str(result["file"]) for result in results if result.get("file")}
    cards = []
    for group in groups.values():
        shown = next((each for each in group if each.get("outcome") == "captured"), group[0])
        others = Counter(
            ": ".join(str(each[name]) for name in ("outcome", "reason") if each.get(name))
            for each in group
            if each is not shown
        )
        cards.append(Card(shown, others, files.get(str(shown.get("comparedTo")))))
    return cards


def _moment(results: Sequence[Result]) -> str | None:
    """When the first message was sent, in local time."""
    times = [result["queuedAt"] for result in results if result.get("queuedAt")]
    if not times:
        return None
    return datetime.datetime.fromtimestamp(min(times) / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _seconds(results: Sequence[Result]) -> float | None:
    """From the first message to the last result."""
    began = [result["queuedAt"] for result in results if result.get("queuedAt")]
    ended = [result["updatedAt"] for result in results if result.get("updatedAt")]
    return (max(ended) - min(began)) / 1000 if began and ended else None
