"""What makes captures of an unchanged page the same: its animations, its time, and its chance."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from .wire import WireModel

MAX_SEED = 2**32 - 1


class Animations(StrEnum):
    """What happens to animations before the screenshot."""

    ALLOW = "allow"
    # What ends soon is put to its end.
    FINISH = "finish"
    # What has no end is put to its start as well.
    STOP = "stop"


class RepeatOptions(WireModel):
    """Animations, the page's time and its random numbers.

    Without `animations`, they are finished, and stopped for a comparison or with reduced motion.
    """

    animations: Animations | None = None
    # The time at which the page's clock stands still (ISO 8601), with an offset from UTC.
    clock: (
        Annotated[
            str,
            Field(
                pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$",
                description="a time like 2026-01-31T12:00:00Z",
            ),
        ]
        | None
    ) = None
    # The page's random numbers are the same for the same seed.
    random_seed: Annotated[int, Field(ge=0, le=MAX_SEED, strict=True)] | None = None

    @model_validator(mode="after")
    def refuse_impossible_times(self) -> Self:
        try:
            _ = self.clock_ms
        except ValueError as error:
            raise ValueError(
                "clock: there is no such day or time; it must be a time like 2026-01-31T12:00:00Z"
            ) from error
        return self

    @property
    def clock_ms(self) -> int | None:
        """The time of `clock` in milliseconds since the epoch. Raises ValueError if there is no such day or hour."""
        return None if self.clock is None else round(datetime.fromisoformat(self.clock).timestamp() * 1000)
