"""What a request for a capture does not want loaded."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

from stillframe.request.options import RenderOptions, ResourceType

from .filters import AdFilter


class Blocks:
    """Kinds of resources, and patterns of urls in which `*` is any text and `?` any character."""

    def __init__(self, options: RenderOptions, ads: AdFilter | None) -> None:
        self._ads = ads
        self.types: tuple[ResourceType, ...] = options.block_resources
        self.patterns = options.block_urls
        self._names = {kind.protocol_name for kind in self.types}
        # Whether every request has to be looked at.
        self.need_all = ads is not None
        self._matches = [re.compile(_expression(pattern), re.IGNORECASE) for pattern in self.patterns]

    def refuse(self, event: dict[str, Any], page_url: str) -> bool:
        """Whether a paused request is not to be made (CDP, Fetch.requestPaused)."""
        url, kind = event["request"]["url"], event["resourceType"]
        if kind in self._names or any(match.match(url) for match in self._matches):
            return True
        return self._ads is not None and self._ads.refuses(url, kind, page_url)


def _expression(pattern: str) -> str:
    # The browser's patterns have no sets, as those of file names have.
    return fnmatch.translate(pattern.replace("[", "[[]"))
