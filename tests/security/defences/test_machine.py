"""Each defence of the machine is needed: without it, its test fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from .defence import Defence
from .machine import MACHINE
from .removal import assert_needed


@pytest.mark.parametrize("defence", MACHINE, ids=lambda defence: defence.name)
def test_without_a_defence_its_test_fails(code: Path, defence: Defence) -> None:
    assert_needed(defence, code)
