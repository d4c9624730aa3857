"""Hooks of MkDocs: what differs between the documents on a code host and on the site."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from scripts.doc_images import DIAGRAM, IMAGES, diagram_name

# Links to files of the repository, which are not on the site.
OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Show each diagram as its image, which needs no script from elsewhere, and the names of tests without a link."""
    shown = DIAGRAM.sub(lambda match: _image_of(match[1]), markdown)
    return OUTSIDE.sub(lambda match: match[1] if match[1].startswith("`") else f"`{match[1]}`", shown)


def _image_of(source: str) -> str:
    name = f"{diagram_name(source)}.webp"
    if not Path(IMAGES / name).exists():
        raise FileNotFoundError(f"docs/images/{name}: a diagram has changed; run python -m scripts.doc_images")
    return f"![Diagram](images/{name})"
