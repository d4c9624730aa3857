"""What a capture stores beside its image, when it is asked for: each an object of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ExtraKind(StrEnum):
    """Names of the extra objects, as the record lists them."""

    THUMBNAIL = "thumbnail"
    HTML = "html"
    TEXT = "text"
    MHTML = "mhtml"
    HAR = "har"
    DIFFERENCE = "difference"


CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    # RFC 2557.
    "mhtml": "multipart/related",
    "har": "application/json",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
}
KINDS_OF_PAGES = {"html": ExtraKind.HTML, "txt": ExtraKind.TEXT, "mhtml": ExtraKind.MHTML, "har": ExtraKind.HAR}
# A bucket that is a web site shall not run what a stranger's page says.
DOWNLOADED = frozenset({"html", "mhtml"})


@dataclass(frozen=True, slots=True)
class Extra:
    """One extra object, in memory. `file` is the last part of its key."""

    file: str
    data: bytes

    @classmethod
    def thumbnail(cls, data: bytes, extension: str) -> Extra:
        return cls(f"{ExtraKind.THUMBNAIL}.{extension}", data)

    @classmethod
    def difference(cls, data: bytes) -> Extra:
        return cls(f"{ExtraKind.DIFFERENCE}.png", data)

    @classmethod
    def page(cls, kind: ExtraKind, data: bytes) -> Extra:
        """The page itself in one of its forms."""
        extensions = {kind: extension for extension, kind in KINDS_OF_PAGES.items()}
        return cls(f"page.{extensions[kind]}", data)

    @property
    def extension(self) -> str:
        return self.file.rpartition(".")[2]

    @property
    def headers(self) -> Mapping[str, str]:
        """Arguments of PutObject that say what it is."""
        types = {"ContentType": CONTENT_TYPES[self.extension]}
        return types | {"ContentDisposition": "attachment"} if self.extension in DOWNLOADED else types


def kind_of(file: str) -> str:
    """The name under which the record lists a file."""
    stem, _, extension = file.partition(".")
    return KINDS_OF_PAGES[extension].value if stem == "page" else stem
