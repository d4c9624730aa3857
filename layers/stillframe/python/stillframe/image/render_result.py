"""The image: what a render yields, and the object it becomes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from stillframe.image.extra import Extra
from stillframe.image.page_facts import PageFacts
from stillframe.request.options import ImageFormat


@dataclass(frozen=True, slots=True)
class RenderResult:
    """A rendered image, in memory. Width and height are in device pixels."""

    data: bytes
    format: ImageFormat
    width: int
    height: int
    facts: PageFacts
    render_ms: int
    extras: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredImage:
    """The one object of a screenshot id. `facts` may be incomplete when the object was adopted.

    `extras` are the urls of the objects beside it, by kind.
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

    def to_wire(self) -> dict[str, Any]:
        values = asdict(self)
        values |= values.pop("facts")
        return {to_camel(name): value for name, value in values.items() if value is not None}
