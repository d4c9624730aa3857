"""When a webhook message is tried again: growing pauses, over three days."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
# As in Standard Webhooks, "Retries": the first soon, the last days later. SQS hides a message for 12 hours at most,
# from when it was received (ChangeMessageVisibility), so the longest pause leaves time for the attempt itself.
PAUSES = (5, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 9 * HOUR, 11 * HOUR)
MAX_AGE_SECONDS = 3 * DAY
# What a receiver asks for by Retry-After is taken no longer than this.
MAX_PAUSE_SECONDS = 11 * HOUR
JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait after each attempt, in seconds, and how old a message may become."""

    seconds: tuple[float, ...] = PAUSES
    max_age_seconds: float = MAX_AGE_SECONDS
    uniform: Callable[[float, float], float] = random.uniform

    def after(self, attempts: int, age_seconds: float, asked_seconds: float | None = None) -> int | None:
        """Whole seconds until the next attempt, after this many; None if the message is too old for another one.

        `asked_seconds` is what the receiver has asked for.
        """
        usual = self.seconds[min(attempts, len(self.seconds)) - 1]
        # Messages that failed together, because a receiver was down, come back one after the other.
        spread = usual * self.uniform(1 - JITTER, 1)
        pause = min(max(spread, asked_seconds or 0), MAX_PAUSE_SECONDS)
        return None if age_seconds + pause > self.max_age_seconds else max(1, round(pause))
