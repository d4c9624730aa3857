"""The key that signs links to the API of this machine: kept with its state, so that links outlive a restart."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from .exports import write_private

FILE = "link-key"


def local_link_key(state: Path | None) -> str:
    """The key of a state directory, which is made if there is none; without a directory, a new one.

    `STILLFRAME_LINK_KEY` takes precedence.
    """
    if given := os.environ.get("STILLFRAME_LINK_KEY"):
        return given
    path = state / FILE if state is not None else None
    if path is not None and path.is_file():
        return path.read_text().strip()
    key = secrets.token_urlsafe(32)
    if path is not None:
        write_private(path, key + "\n")
    return key
