"""Each defence between tenants is needed: without it, its test fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from .defence import Defence
from .removal import assert_needed
from .tenant import TENANT


@pytest.mark.parametrize("defence", TENANT, ids=lambda defence: defence.name)
def test_without_a_defence_its_test_fails(code: Path, defence: Defence) -> None:
    assert_needed(defence, code)
