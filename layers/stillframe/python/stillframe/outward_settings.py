"""The settings of the API, of events, of webhooks and of watches: a part of the settings of a process."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from stillframe.request.envelope import DeploymentWebhook, EventKind


class OutwardSettings(BaseSettings):
    """One field per variable; the alias is the variable's name."""

    # Of the API. What is not said must not leave it open.
    api_authorisation: Annotated[
        Literal["gateway", "key"],
        Field(
            alias="STILLFRAME_API_AUTHORISATION",
            description="who checks the callers of the API: API Gateway before it, or the API itself by their keys",
        ),
    ] = "key"
    link_secret: Annotated[
        str, Field(alias="STILLFRAME_LINK_SECRET", description="the ARN of the secret that signs links to the API")
    ] = ""
    event_bus: Annotated[
        str,
        Field(
            alias="STILLFRAME_EVENT_BUS",
            description="the bus of EventBridge that the notifier puts events on",
            pattern=r"^[A-Za-z0-9._/-]{1,256}$",
        ),
    ] = "default"
    event_failures_url: Annotated[
        str,
        Field(
            alias="STILLFRAME_EVENT_FAILURES_URL",
            description="the queue for changes that the notifier cannot read; it only logs them when empty",
        ),
    ] = ""
    webhook_queue_url: Annotated[
        str, Field(alias="WEBHOOK_QUEUE_URL", description="the queue of webhooks; none are sent when empty")
    ] = ""
    webhook_dead_letter_queue_url: Annotated[
        str, Field(alias="WEBHOOK_DEAD_LETTER_QUEUE_URL", description="where webhooks go that were given up")
    ] = ""
    webhook_secret_arn: Annotated[
        str, Field(alias="WEBHOOK_SECRET_ARN", description="the secret with the keys that sign webhooks")
    ] = ""
    webhook_url: Annotated[
        str, Field(alias="STILLFRAME_WEBHOOK_URL", description="a URL that is told of every screenshot")
    ] = ""
    webhook_events: Annotated[
        tuple[EventKind, ...],
        NoDecode,
        Field(alias="STILLFRAME_WEBHOOK_EVENTS", description="the events that this URL is told of", min_length=1),
    ] = (EventKind.CAPTURED, EventKind.FAILED)

    watch_group: Annotated[
        str,
        Field(alias="WATCH_GROUP", description="the group of schedules of watches, on EventBridge Scheduler"),
    ] = ""
    watch_role_arn: Annotated[
        str, Field(alias="WATCH_ROLE_ARN", description="the role by which these schedules send to the queue")
    ] = ""

    @field_validator("webhook_events", mode="before")
    @classmethod
    def split_events(cls, value: object) -> object:
        """The trimmed parts of a comma-separated string."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("webhook_url")
    @classmethod
    def check_webhook(cls, value: str) -> str:
        """Refuse a wrong URL at start, and not at the first event."""
        return DeploymentWebhook(url=value).url if value else value

    @property
    def webhook(self) -> DeploymentWebhook | None:
        """The webhook of the deployment, which is told of every screenshot and watch."""
        return DeploymentWebhook(url=self.webhook_url, events=self.webhook_events) if self.webhook_url else None
