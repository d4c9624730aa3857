"""The settings of events, webhooks and watches."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from stillframe.request.envelope import EventKind

from .values import EventList

DEFAULT_BUS = "default"


class EventSettings(BaseModel):
    """A part of the configuration of a deployment."""

    # Each capture costs a reading of the stream and an event, so there are none unless they are wanted.
    events: bool = False
    # A bus of the deployment's account and region.
    event_bus: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,256}$")] = DEFAULT_BUS

    # Whether requests may name a webhook. What it tells comes from the notifier, which `events` switches on.
    webhooks: bool = False
    # A webhook that every screenshot has, with the events that it is told of.
    webhook_url: Annotated[str, Field(pattern=r"^https?://[^\s@]{1,2040}$")] | None = None
    webhook_events: EventList = (EventKind.CAPTURED, EventKind.FAILED)

    # Whether pages can be watched: a group of schedules, and the role by which they send.
    watches: bool = False

    @model_validator(mode="after")
    def check_webhooks(self) -> Self:
        """Refuse webhooks that nothing would send."""
        if self.webhooks and not self.events:
            raise ValueError("webhooks needs events on")
        if self.webhook_url and not self.webhooks:
            raise ValueError("webhookUrl needs webhooks on")
        return self

    @model_validator(mode="after")
    def check_events(self) -> Self:
        """Refuse a bus that nothing is put on."""
        if self.event_bus != DEFAULT_BUS and not self.events:
            raise ValueError("eventBus needs events on")
        return self
