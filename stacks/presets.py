"""The sizes of a deployment."""

from __future__ import annotations

from typing import Any

SIZE_KEY = "size"
# By captures per hour: small under 100, medium 100 to 1,000, large above. `stillframe plan --preset` calculates them.
PRESETS: dict[str, dict[str, Any]] = {
    "small": {"memoryMb": 1536, "tabs": 5, "batchSize": 5, "maxConcurrency": 2},
    "medium": {"memoryMb": 2048, "tabs": 7, "batchSize": 7, "maxConcurrency": 7},
    "large": {"memoryMb": 2048, "tabs": 7, "batchSize": 7, "maxConcurrency": 110},
}
