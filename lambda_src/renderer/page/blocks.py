"""What a request for a capture does not want loaded."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

from stillframe.options import RenderOptions, ResourceType


class Blocks:
    """Kinds of resources, and patterns of urls in which `*` is any text and `?` any character."""

    def __init__(self, options: RenderOptions) -> None:
        self.types: tuple[ResourceType, ...] = options.block_resources
        self.patterns = options.block_urls
        self._names = {kind.protocol_name for kind in self.types}
        self._matches = [re.compile(_expression(pattern), re.IGNORECASE) for pattern in self.patterns]

    def refuse(self, event: dict[str, Any]) -> bool:
        """Whether a paused request is not to be made (CDP, Fetch.requestPaused)."""
        url = event["request"]["url"]
        return event["resourceType"] in self._names or any(match.match(url) for match in self._matches)


def _expression(pattern: str) -> str:
    # The browser's patterns have no sets, as those of file names have.
    return fnmatch.translate(pattern.replace("[", "[[]"))
