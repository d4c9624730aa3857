"""Fixtures of the simulation."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Disable logging: the story already records what the code under test does."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
