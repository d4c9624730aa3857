"""Shots: further images of one load, in memory and as the record lists them, and the manifest that ties them together.

The objects of an attempt's shots have keys of their own, under the token of its claim, and so has its manifest, which
is stored after them. The image, stored last and only once for an id, bears the manifest's hash. So whoever adopts the
image finds the shots of its own render, all of them, and never one of another attempt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from stillframe.request.options import ImageFormat, Viewport
from stillframe.request.options.wire import WireModel

# The names of the manifest's object, and of the entry in the image's metadata that has its SHA-256 in hex.
MANIFEST_FILE = "shots.json"
MANIFEST = "shots"
FILE_PREFIX = "shot-"


class ShotFacts(WireModel):
    """What a shot says about itself beside its bytes. A name whose value is None is not in the record.

    `viewport` is in CSS pixels. `not_emulated` are the options of its device that the page was loaded without;
    `page_height` is the full height in CSS pixels of a page that was capped; `unsettled` is what did not end in time.
    """

    model_config = ConfigDict(extra="ignore")

    name: str
    viewport: Viewport
    device_scale_factor: float
    device: str | None = None
    not_emulated: list[str] | None = None
    page_height: int | None = None
    height_capped: bool | None = None
    blank: bool | None = None
    unsettled: str | None = None


class StoredShot(ShotFacts):
    """One line of the manifest: the shot's object, its size in device pixels, and what it says about itself."""

    s3_url: str
    content_type: str
    bytes: int
    width: int
    height: int
    sha256: str

    def to_wire(self) -> dict[str, Any]:
        """By wire names, without what it does not have."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


@dataclass(frozen=True, slots=True)
class Shot:
    """One shot in memory. Width and height are in device pixels."""

    data: bytes
    format: ImageFormat
    width: int
    height: int
    facts: ShotFacts

    @property
    def file(self) -> str:
        """The last part of its key."""
        return f"{FILE_PREFIX}{self.facts.name}.{self.format.extension}"

    @property
    def sha256(self) -> str:
        """In hex."""
        return hashlib.sha256(self.data).hexdigest()

    def stored_at(self, url: str) -> StoredShot:
        """Its line of the manifest."""
        return StoredShot(
            **self.facts.model_dump(),
            s3_url=url,
            content_type=self.format.content_type,
            bytes=len(self.data),
            width=self.width,
            height=self.height,
            sha256=self.sha256,
        )


STORED_SHOTS: TypeAdapter[list[StoredShot]] = TypeAdapter(list[StoredShot])


def manifest_of(shots: Sequence[StoredShot]) -> bytes:
    """The manifest (JSON) of an attempt's shots, in their order."""
    return json.dumps([shot.to_wire() for shot in shots], separators=(",", ":")).encode()


def read_manifest(data: bytes) -> list[StoredShot]:
    """The shots that a manifest lists. Raises pydantic's ValidationError if it is none."""
    return STORED_SHOTS.validate_json(data)
