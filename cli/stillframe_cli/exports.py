"""The variables by which other commands find an embedded environment, as lines for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from .embedded_variables import unset_variables
from .files import write_file


def shell_lines(exports: Mapping[str, str], inherited: Mapping[str, str]) -> str:
    """The lines that set the variables, and that unset what would lead commands elsewhere."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
    return "\n".join([*lines, f"unset {' '.join(unset_variables(exports, inherited))}"])


def write_exports(path: Path, exports: Mapping[str, str], inherited: Mapping[str, str]) -> None:
    """Write the lines to a file that only its owner can read."""
    write_private(path, shell_lines(exports, inherited) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read. What is no regular file (`/dev/stdout`) keeps its mode."""
    write_file(path, text)
    if path.is_file():
        path.chmod(0o600)
