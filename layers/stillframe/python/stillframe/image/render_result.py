"""What rendering returns, in memory, and the image that it becomes in the bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stillframe.image.element import PageElement
from stillframe.image.extra import Extra
from stillframe.image.page_facts import PageFacts
from stillframe.image.shot import Shot, StoredShot
from stillframe.request.options import ImageFormat


@dataclass(frozen=True, slots=True)
class RenderResult:
    """An encoded screenshot with the facts about its page. Width and height are in device pixels.

    `elements` are those of the page, if it is to be compared. They are not stored.
    """

    data: bytes
    format: ImageFormat
    width: int
    height: int
    facts: PageFacts
    render_ms: int
    extras: tuple[Extra, ...] = ()
    elements: tuple[PageElement, ...] = ()
    shots: tuple[Shot, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredImage:
    """The one image of a screenshot id. `facts` may be incomplete if the image was adopted.

    `extras` are the URLs of the objects stored beside it, by kind; `shots` are further images of the same load.
    """

    s3_key: str
    s3_url: str
    content_type: str
    bytes: int
    width: int
    height: int
    sha256: str
    facts: PageFacts
    extras: dict[str, str] | None = None
    shots: tuple[StoredShot, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """The attributes of the record that describe the image and its page, by wire name."""
        values = {
            "s3Key": self.s3_key,
            "s3Url": self.s3_url,
            "contentType": self.content_type,
            "bytes": self.bytes,
            "width": self.width,
            "height": self.height,
            "sha256": self.sha256,
            **self.facts.to_wire(),
        }
        if self.extras is not None:
            values["extras"] = self.extras
        if self.shots:
            values["shots"] = [shot.to_wire() for shot in self.shots]
        return values
