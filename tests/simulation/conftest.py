"""Fixtures of the simulation."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the code under test logs is told by the story already."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
