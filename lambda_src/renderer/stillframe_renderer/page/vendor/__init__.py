"""Third-party files as published: filter lists, and the script that answers consent banners. See README.md."""

from __future__ import annotations

import gzip
from importlib import resources

EASYLIST, EASYPRIVACY, AUTOCONSENT = "easylist.txt", "easyprivacy.txt", "autoconsent.js"


def read(name: str) -> str:
    """The text of a vendored file."""
    return gzip.decompress(resources.files(__package__).joinpath(f"{name}.gz").read_bytes()).decode()
