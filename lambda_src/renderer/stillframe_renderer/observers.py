"""Those who watch deliveries and decide nothing: whatever fails in logs and metrics changes no outcome."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from stillframe.outcome import Outcome

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Observers:
    """Tells each observer how a delivery ended. Raises nothing; an observer that fails is told of the next one too."""

    def __init__(self, observers: Iterable[Callable[[Outcome], None]]) -> None:
        self._observers = tuple(map(shielded, observers))

    def __call__(self, outcome: Outcome) -> None:
        for observe in self._observers:
            observe(outcome)


def shielded(observe: Callable[[T], None]) -> Callable[[T], None]:
    """The same callable, except that an exception is logged, once, and not raised."""
    has_failed = False

    @functools.wraps(observe)
    def shield(value: T) -> None:
        nonlocal has_failed
        try:
            observe(value)
        except Exception as error:
            if not has_failed:
                has_failed = True
                _log(error)

    return shield


def _log(error: Exception) -> None:
    # The log may be what has failed, and there is no other place to say so.
    with contextlib.suppress(Exception):
        logger.warning("logs or metrics are incomplete", extra={"error": f"{type(error).__name__}: {error}"})
