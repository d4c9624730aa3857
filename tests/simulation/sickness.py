"""Workers that turn sick: what the machine or the account of one worker lacks, from when, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from stillframe.errors import WorkerFault

from .browser import RENDER
from .surroundings import Surroundings

# A browser that does not start, or one AWS call that is denied.
KINDS = (RENDER, "put_object", "update_item")
ONSET_MS = 60_000
FOR_EVER = 1 << 62


@dataclass(frozen=True)
class Sickness:
    """What one worker cannot do, in its present process and in every one that replaces it."""

    surroundings: Surroundings
    what: str
    from_ms: int
    until_ms: int

    @classmethod
    def draw(cls, surroundings: Surroundings, may_stay: bool) -> Sickness:
        """The sickness of a worker, which most often has none. It may stay for ever if another worker is sound."""
        rng, now_ms = surroundings.scheduler.rng, surroundings.scheduler.now_ms
        plan = surroundings.plan
        if rng.random() >= plan.sickness_probability:
            return cls(surroundings, "nothing", FOR_EVER, FOR_EVER)
        from_ms = now_ms + rng.choice((0, rng.randint(0, ONSET_MS)))
        is_for_ever = may_stay and rng.random() < 0.5
        until_ms = FOR_EVER if is_for_ever else from_ms + rng.randint(1, plan.max_sickness_ms)
        return cls(surroundings, rng.choice(KINDS), from_ms, until_ms)

    @property
    def is_active(self) -> bool:
        """Whether the worker is sick at this moment."""
        return self.from_ms <= self.surroundings.scheduler.now_ms < self.until_ms and not self.surroundings.is_calm

    def prevents(self, what: str) -> bool:
        """Whether the worker cannot do this at this moment."""
        return what == self.what and self.is_active

    def check(self) -> None:
        """What `WorkerChecks` finds. Raises WorkerFault."""
        if self.is_active:
            raise WorkerFault(f"cannot {self.what}")
