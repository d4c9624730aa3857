"""The runtime interface emulator that comes with the SAM command line."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

from tests.support.docker import script
from tests.support.workers import ROOT

NAMES = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}


@functools.cache
def runtime_emulator() -> Path:
    """The path of its executable. Installs the command line if it is missing."""
    ready = script("sam", "--version")
    assert ready.returncode == 0, ready.stderr[-3000:]
    (folder,) = (ROOT / ".venv-sam").glob("lib/python3*/site-packages/samcli/local/rapid")
    path = folder / NAMES[platform.machine()]
    path.chmod(0o755)
    return path
