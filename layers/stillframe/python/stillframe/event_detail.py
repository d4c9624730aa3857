"""What an event says: the record as the API answers it, the event's id, and the version of this form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from stillframe.events import KINDS, Event
from stillframe.request.envelope import EventKind
from stillframe.table.record import Record

# A new version when a field goes or changes its meaning. A new field is none: readers ignore what they do not know.
VERSION: Literal[1] = 1
DETAIL_TYPES = {
    EventKind.CAPTURED: "Screenshot Captured",
    EventKind.FAILED: "Screenshot Failed",
    EventKind.CHANGED: "Screenshot Changed",
    EventKind.DIGEST: "Watch Digest",
}
# A request of PutEvents has less than 256 KiB ("Calculating PutEvents event entry size"), and so has a message of SNS,
# one of the targets, with the envelope that EventBridge adds. An item of DynamoDB has up to 400 KB.
MAX_DETAIL_BYTES = 240 * 1024
# What is left of a text that is cut.
MAX_TEXT_CHARS = 1000
# The models of which a detail is made.
PARTS = ("StoredShot", "Viewport")
NEVER_CUT = ("version", "eventId", "id", "status")


class EventDetail(Record):
    """The detail of an event. Everything but `version`, `eventId` and `cut` is the record."""

    version: Literal[1] = VERSION
    event_id: str = Field(description="the same whenever the event is sent again, and of no other event")
    cut: list[str] | None = Field(
        None, description="the fields that were too long: a text is shortened, anything else is left out"
    )

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The schema of what is sent: a field that has no value is not there, so none is null."""
        schema = cls.model_json_schema(mode="serialization")
        fields = {name: described(field) for name, field in schema["properties"].items() if name != "claimToken"}
        fields["status"] = {"type": "string", "enum": [status.value for status in KINDS]}
        first = {name: fields.pop(name) for name in NEVER_CUT}
        parts = {name: schema["$defs"][name] for name in PARTS}
        for part in parts.values():
            part["properties"] = {name: described(field) for name, field in part["properties"].items()}
            part["additionalProperties"] = True
        return {
            "title": f"The detail of an event, version {VERSION}",
            "description": cls.__doc__,
            "type": "object",
            "properties": {**first, **fields},
            "required": list(NEVER_CUT),
            "additionalProperties": True,
            "$defs": parts,
        }


def detail_of(event: Event, max_bytes: int = MAX_DETAIL_BYTES) -> dict[str, Any]:
    """The detail of an event, with `max_bytes` at most as JSON in UTF-8. `cut` names what was too long for that."""
    return cut_to_fit({"version": VERSION, "eventId": event.id, **event.subject.to_wire()}, max_bytes)


def cut_to_fit(record: Mapping[str, Any], max_bytes: int) -> dict[str, Any]:
    """A record by wire names, with `max_bytes` at most as JSON in UTF-8. `cut` names what was too long for that."""
    fitting = dict(record)
    cut: list[str] = []
    while len(to_json(fitting).encode()) > max_bytes:
        rest = [name for name in fitting if name not in NEVER_CUT and name not in ("cut", *cut)]
        if not rest:
            break
        longest = max(rest, key=lambda name: len(to_json(fitting[name]).encode()))
        value = fitting.pop(longest)
        if isinstance(value, str):
            fitting[longest] = value[:MAX_TEXT_CHARS]
        cut.append(longest)
        fitting["cut"] = cut
    return fitting


def to_json(value: Any) -> str:
    """The shortest JSON of a value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def described(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field without what only the model needs: null, defaults and titles."""
    kinds = [each for each in field.get("anyOf", ()) if each["type"] != "null"]
    kept = {key: value for key, value in field.items() if key not in ("anyOf", "default", "title")}
    if len(kinds) == 1:
        return {**kept, **kinds[0]}
    return {**kept, "anyOf": kinds} if kinds else kept
