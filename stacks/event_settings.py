"""The settings of events."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

DEFAULT_BUS = "default"


class EventSettings(BaseModel):
    """A part of the configuration of a deployment."""

    # Each capture costs a reading of the stream and an event, so there are none unless they are wanted.
    events: bool = False
    # A bus of the deployment's account and region.
    event_bus: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,256}$")] = DEFAULT_BUS

    @model_validator(mode="after")
    def check_events(self) -> Self:
        """Refuse a bus that nothing is put on."""
        if self.event_bus != DEFAULT_BUS and not self.events:
            raise ValueError("eventBus needs events on")
        return self
