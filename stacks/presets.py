"""The sizes of a deployment."""

from __future__ import annotations

from typing import Any

SIZE_KEY = "size"
# By captures per hour: small under 100, medium 100 to 1,000, large above. `stillframe plan --preset` calculates them:
# there is one size of worker, and there are more or fewer of it.
WORKER = {"memoryMb": 1536, "tabs": 5, "batchSize": 5}
PRESETS: dict[str, dict[str, Any]] = {
    "small": {**WORKER, "maxConcurrency": 2},
    "medium": {**WORKER, "maxConcurrency": 9},
    "large": {**WORKER, "maxConcurrency": 136},
}
