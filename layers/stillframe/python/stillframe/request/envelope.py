"""The optional parts of the envelope: tenant, metadata, freshness and webhook."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from stillframe.request.options.wire import WireModel

TENANT_RULE = "1 to 128 of A-Z a-z 0-9 . _ : @ / -, starting with a letter or digit"

# SQS allows 128 characters in a message group id (SendMessage, MessageGroupId). These are safe in logs and keys.
Tenant = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$", description=TENANT_RULE, strict=True)]
MAX_METADATA_PAIRS = 10
MetadataName = Annotated[str, Field(min_length=1, max_length=64, strict=True)]
MetadataValue = Annotated[str, Field(max_length=256, strict=True)]
Metadata = Annotated[dict[MetadataName, MetadataValue], Field(max_length=MAX_METADATA_PAIRS)]
# Between a minute and a year, in seconds.
FreshFor = Annotated[int, Field(ge=60, le=31_536_000, strict=True)]


class EventKind(StrEnum):
    """What somebody wants to be told of: what can happen to a screenshot, and what a watch saw in a day."""

    CAPTURED = "captured"
    FAILED = "failed"
    CHANGED = "changed"
    DIGEST = "digest"


# A digest is of a watch, so only the webhook of the deployment can have it.
ScreenshotEvent = Literal[EventKind.CAPTURED, EventKind.FAILED, EventKind.CHANGED]


class DeploymentWebhook(WireModel):
    """A URL that is told of the events of a deployment."""

    url: Annotated[
        str,
        Field(pattern=r"^https?://[\x21-\x7e]{1,2040}$", description="an http or https URL of up to 2048 characters"),
    ]
    events: Annotated[tuple[EventKind, ...], Field(min_length=1)] = (EventKind.CAPTURED, EventKind.FAILED)

    @field_validator("url")
    @classmethod
    def check_url(cls, url: str) -> str:
        """Refuse what cannot be called, and credentials, which would be in every record."""
        parts = urlsplit(url)
        # Raises ValueError if it is out of range.
        if not parts.hostname or parts.port == 0:
            raise ValueError("has no host, or the port 0")
        if "@" in parts.netloc:
            raise ValueError("contains a user name or password; put a secret into the path or the query")
        return url


class Webhook(DeploymentWebhook):
    """A URL to call when the screenshot is finished."""

    events: Annotated[tuple[ScreenshotEvent, ...], Field(min_length=1)] = (EventKind.CAPTURED, EventKind.FAILED)
