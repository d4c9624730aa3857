"""Each defence of a crawl is needed: without it, its test fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from .crawl import CRAWL
from .defence import Defence
from .removal import assert_needed


@pytest.mark.parametrize("defence", CRAWL, ids=lambda defence: defence.name)
def test_without_a_defence_its_test_fails(code: Path, defence: Defence) -> None:
    assert_needed(defence, code)
