"""A copy of the code, in which one defence after another is removed and put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from .removal import copy_code


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Path:
    """The root of the copy. Its tests use the browser that this test run uses."""
    folder = tmp_path_factory.mktemp("copy")
    copy_code(folder)
    return folder
