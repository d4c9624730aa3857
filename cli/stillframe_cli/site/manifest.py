"""site.json: every page of a run with what became of it, and what was left out."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from ..local.folder import OutputFolder
from ..local.results import Result
from .frontier import Frontier, Page
from .page_results import DEPTH, FOUND_ON, PageResults

MANIFEST_NAME = "site.json"
# Of a page that was not captured when the run ended.
PENDING = "pending"
FIELDS = (
    "id", "url", DEPTH, FOUND_ON, "status", "file", "s3Url", "width", "height", "bytes", "sha256", "httpStatus",
    "finalUrl", "title", "errorCode", "errorMessage",
)  # fmt: skip


def write_manifest(
    folder: OutputFolder, run: str, frontier: Frontier, results: PageResults, is_complete: bool
) -> dict[str, Any]:
    """Write the file, and return the numbers in it. Raises RunStopped."""
    pages = [_describe(page, run, results.of(page)) for page in frontier.pages]
    counts = Counter(str(page["status"]) for page in pages)
    totals = {
        "name": run,
        "url": frontier.pages[0].url,
        "complete": is_complete,
        "pages": len(pages),
        "statuses": dict(sorted(counts.items())),
    }
    manifest = {**totals, "leftOut": frontier.left_out.to_wire(), "results": pages}
    folder.write(MANIFEST_NAME, (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode(errors="replace"))
    return {**totals, "leftOut": {reason.value: count for reason, count in frontier.left_out.counts.items()}}


def _describe(page: Page, run: str, result: Result | None) -> dict[str, Any]:
    known = {"id": page.id(run), "url": page.url, "status": PENDING, **(result or {})}
    known |= {DEPTH: page.depth, FOUND_ON: page.found_on}
    return {name: value for name in FIELDS if (value := known.get(name)) is not None}
