"""What the event of a day says: the digest, the event's id, and the version of this form."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from stillframe.event_detail import VERSION, described
from stillframe.watches.day_digest import DayChange, DayDigest


class DigestDetail(DayDigest):
    """The detail of a `Watch Digest`. Everything but `version`, `eventId` and `cut` is the digest."""

    version: Literal[1] = VERSION
    event_id: str = Field(description="the same whenever the event is sent again, and of no other event")
    cut: list[str] | None = Field(None, description="the fields that were too long, and are left out")

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The schema of what is sent: a field that has no value is not there, so none is null."""
        fields = _fields(cls)
        fields["changes"] = {"type": "array", "items": {"type": "object", "properties": _fields(DayChange)}}
        return {
            "title": f"The detail of the digest of a day, version {VERSION}",
            "description": " ".join((cls.__doc__ or "").split()),
            "type": "object",
            "properties": fields,
            "required": ["version", "eventId", "id", "watch", "url", "day", "since", "until", "periods"],
            "additionalProperties": True,
        }


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    properties = model.model_json_schema(mode="serialization")["properties"]
    return {name: described(field) for name, field in properties.items()}
