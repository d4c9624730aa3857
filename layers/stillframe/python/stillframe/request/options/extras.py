"""What is stored and recorded beside the image."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .comparison import ComparisonRules
from .image import ImageFormat, ImageOptions
from .wire import ID_PATTERN, ID_RULE, Flag, WireModel

MAX_THUMBNAIL_SIDE = 2000
PREVIOUS = "previous"
BASELINE = "baseline"
# Both compare with an earlier capture of the same request.
IN_LINE = frozenset({PREVIOUS, BASELINE})


class SavedForm(StrEnum):
    """A form in which the page itself is stored beside its image."""

    HTML = "html"
    TEXT = "text"
    MHTML = "mhtml"
    HAR = "har"
    ELEMENTS = "elements"
    LINKS = "links"


class Thumbnail(WireModel):
    """A smaller image: the whole screenshot, or, with `height`, as much of it as fits, from the top."""

    width: Annotated[int, Field(ge=16, le=MAX_THUMBNAIL_SIDE, strict=True)] = 320
    height: Annotated[int, Field(ge=16, le=MAX_THUMBNAIL_SIDE, strict=True)] | None = None
    format: Literal[ImageFormat.WEBP, ImageFormat.JPEG, ImageFormat.PNG] = ImageFormat.WEBP


class ExtraOptions(ImageOptions):
    """Files beside the image. Each is an object of its own, and one more call to S3."""

    thumbnail: Thumbnail | None = None
    save: Annotated[tuple[SavedForm, ...], Field(max_length=len(SavedForm))] = ()
    perceptual_hash: Flag = False
    # `previous`, the last capture of the same URL and options; `baseline`, the one that was approved; or an id.
    compare_to: Annotated[str, Field(pattern=ID_PATTERN, description=ID_RULE, strict=True)] | None = None
    comparison: ComparisonRules = ComparisonRules()
    # A change counts once two captures in a row show it.
    confirm_changes: Flag = False

    @model_validator(mode="after")
    def refuse_confirmation_by_nobody(self) -> Self:
        if self.confirm_changes and self.compare_to not in IN_LINE:
            raise ValueError(
                "confirmChanges needs compareTo previous or baseline, as the next capture confirms a change"
            )
        return self

    @model_validator(mode="after")
    def refuse_extras_of_a_pdf(self) -> Self:
        wanted = {"thumbnail": self.thumbnail is not None, "perceptualHash": self.perceptual_hash}
        wanted["compareTo"] = self.compare_to is not None
        found = [name for name, is_wanted in wanted.items() if is_wanted and self.format is ImageFormat.PDF]
        if found:
            raise ValueError(f"{', '.join(found)} and format conflict: format pdf makes no image")
        return self
