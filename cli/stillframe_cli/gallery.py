"""The gallery page of `shoot`: all results on one page that works from disk, without a server."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from .local.folder import OutputFolder

GALLERY_NAME = "index.html"


def write_gallery(directory: Path, results: Sequence[dict[str, Any]], title: str) -> Path:
    """Write `index.html` beside the images and return its path. Raises RunStopped."""
    environment = Environment(loader=PackageLoader("stillframe_cli"), autoescape=select_autoescape(["html", "j2"]))
    # Returns plain text, so that the template escapes it like all other text.
    environment.filters["record"] = lambda result: json.dumps(result, indent=2, ensure_ascii=False)
    page = environment.get_template("gallery.html.j2").render(
        title=title, results=results, counts=Counter(result["outcome"] for result in results)
    )
    return OutputFolder(directory).write(GALLERY_NAME, page.encode())
