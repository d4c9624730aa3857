"""The resources that a request for a capture excludes."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

from stillframe.request.options import RenderOptions, ResourceType

from .filters import AdFilter


class Blocks:
    """Blocks resources by type, by URL pattern (`*` matches any text, `?` any character) and by the ad filter."""

    def __init__(self, options: RenderOptions, ads: AdFilter | None) -> None:
        self._ads = ads
        self.types: tuple[ResourceType, ...] = options.block_resources
        self.patterns = options.block_urls
        self._names = {kind.protocol_name for kind in self.types}
        # Whether every request has to be checked.
        self.need_all = ads is not None
        self._matches = [re.compile(_expression(pattern), re.IGNORECASE) for pattern in self.patterns]

    def refuse(self, event: dict[str, Any], page_url: str) -> bool:
        """Whether to refuse a paused request (CDP, Fetch.requestPaused)."""
        url, kind = event["request"]["url"], event["resourceType"]
        if kind in self._names or any(match.match(url) for match in self._matches):
            return True
        return self._ads is not None and self._ads.refuses(url, kind, page_url)


def _expression(pattern: str) -> str:
    # Unlike file-name patterns, the browser's patterns have no character sets.
    return fnmatch.translate(pattern.replace("[", "[[]"))
