"""The gallery page: what `shoot` made, to look at from disk without a server."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

GALLERY_NAME = "index.html"


def write_gallery(directory: Path, results: Sequence[dict[str, Any]], title: str) -> Path:
    """Write `index.html` beside the images; returns its path."""
    environment = Environment(loader=PackageLoader("stillframe_cli"), autoescape=select_autoescape(["html", "j2"]))
    # As text, which the template escapes as it does all text.
    environment.filters["record"] = lambda result: json.dumps(result, indent=2, ensure_ascii=False)
    page = environment.get_template("gallery.html.j2").render(
        title=title, results=results, counts=Counter(result["outcome"] for result in results)
    )
    path = directory / GALLERY_NAME
    path.write_text(page, encoding="utf-8")
    return path
