"""Extra objects: what a capture stores beside its image if the request asks for it, each an object of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class ExtraKind(StrEnum):
    """The names under which the record lists extra objects."""

    THUMBNAIL = "thumbnail"
    HTML = "html"
    TEXT = "text"
    MHTML = "mhtml"
    HAR = "har"
    ELEMENTS = "elements"
    LINKS = "links"
    DIFFERENCE = "difference"
    TEXT_DIFFERENCE = "textDifference"


CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    # RFC 2557.
    "mhtml": "multipart/related",
    "har": "application/json",
    "json": "application/json",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
}
PAGE_KINDS = {
    "html": ExtraKind.HTML,
    "txt": ExtraKind.TEXT,
    "mhtml": ExtraKind.MHTML,
    "har": ExtraKind.HAR,
    "json": ExtraKind.ELEMENTS,
    # What comes last decides on the content type.
    "links.json": ExtraKind.LINKS,
}
# Images of single elements are numbered from 1.
ELEMENT = re.compile(r"element-\d+\.\w+")
ELEMENTS = re.compile(r"element-1:(\d{1,3})\.(\w+)")
# Stored as attachments: a bucket that serves a web site must not run the scripts of captured pages.
ATTACHMENT_EXTENSIONS = frozenset({"html", "mhtml"})


@dataclass(frozen=True, slots=True)
class Extra:
    """One extra object in memory. `file` is the last part of its key."""

    file: str
    data: bytes

    @classmethod
    def thumbnail(cls, data: bytes, extension: str) -> Extra:
        return cls(f"{ExtraKind.THUMBNAIL}.{extension}", data)

    @classmethod
    def element(cls, number: int, data: bytes, extension: str) -> Extra:
        """The image of one element, which the record lists under a name of its own: element-1 and so on."""
        return cls(f"element-{number}.{extension}", data)

    @classmethod
    def difference(cls, data: bytes) -> Extra:
        return cls(f"{ExtraKind.DIFFERENCE}.png", data)

    @classmethod
    def text_difference(cls, diff: str) -> Extra:
        return cls(f"{ExtraKind.TEXT_DIFFERENCE}.txt", diff.encode())

    @classmethod
    def page(cls, kind: ExtraKind, data: bytes) -> Extra:
        """The page itself, saved in one of its forms."""
        extensions = {kind: extension for extension, kind in PAGE_KINDS.items()}
        return cls(f"page.{extensions[kind]}", data)

    @property
    def extension(self) -> str:
        return self.file.rpartition(".")[2]

    @property
    def headers(self) -> Mapping[str, str]:
        """The arguments of PutObject that set its content type and disposition."""
        headers = {"ContentType": CONTENT_TYPES[self.extension]}
        return headers | {"ContentDisposition": "attachment"} if self.extension in ATTACHMENT_EXTENSIONS else headers


def files_to_metadata(files: Sequence[str]) -> str:
    """The names of extra objects as one metadata entry, elements as a range: S3 allows 2 KB for all metadata."""
    elements = [file for file in files if ELEMENT.fullmatch(file)]
    others = [file for file in files if file not in elements]
    extension = elements[0].rpartition(".")[2] if elements else ""
    return ",".join([*others, *([f"element-1:{len(elements)}.{extension}"] if elements else [])])


def files_from_metadata(text: str) -> Iterator[str]:
    """The names that `files_to_metadata` has put together."""
    for name in filter(None, text.split(",")):
        elements = ELEMENTS.fullmatch(name)
        if elements:
            yield from (f"element-{number}.{elements[2]}" for number in range(1, int(elements[1]) + 1))
        else:
            yield name


def kind_of(file: str) -> str:
    """The name under which the record lists a file."""
    stem, _, extension = file.partition(".")
    return PAGE_KINDS[extension].value if stem == "page" else stem
