"""What a test needs to know about a PDF that Chromium wrote: the sizes of its sheets, and the text on each."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
STREAM = re.compile(rb"stream\r?\n(.*)\nendstream", re.DOTALL)
SHOWN = re.compile(rb"/(F\d+) [\d.]+ Tf|<([0-9A-F]+)> Tj|\[([^\]]*)\] ?TJ")
CLIP = re.compile(rb"cm\nq\n([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re\nW\* n")
# Chromium draws in units of 1/300 inch.
MILLIMETRES_PER_UNIT = 25.4 / 300


class Printed:
    """A PDF. `sheets` are sizes in points; `texts` are the words on each sheet."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._objects = {int(number): body for number, body in OBJECT.findall(data)}
        root = next(body for body in self._objects.values() if re.match(rb"<</Type /Catalog", body))
        self._pages = list(self._leaves(_reference(root, b"Pages")))
        self.sheets = [self._size(page) for page in self._pages]
        self.texts = [self._text(page) for page in self._pages]
        self.has_outline = b"/Outlines " in root
        self.is_tagged = b"/StructTreeRoot " in root

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    @property
    def margins_mm(self) -> tuple[int, int]:
        """The left and the top margin of the first sheet, in whole millimetres."""
        clip = CLIP.search(self._stream(_reference(self._pages[0], b"Contents")))
        assert clip is not None
        return round(float(clip[1]) * MILLIMETRES_PER_UNIT), round(float(clip[2]) * MILLIMETRES_PER_UNIT)

    def has_colour(self, colour: str) -> bool:
        """Whether the first sheet fills anything with a colour, written as in PDF: `0 .5 1`."""
        return f"{colour} rg".encode() in self._stream(_reference(self._pages[0], b"Contents"))

    def _leaves(self, number: int) -> Iterator[bytes]:
        body = self._objects[number]
        kids = re.search(rb"/Kids \[(.*?)\]", body, re.DOTALL)
        if kids is None:
            yield body
        else:
            for kid in re.findall(rb"(\d+) 0 R", kids[1]):
                yield from self._leaves(int(kid))

    def _size(self, page: bytes) -> tuple[int, int]:
        box = re.search(rb"/MediaBox \[([^\]]*)\]", page)
        assert box is not None
        left, bottom, right, top = (float(value) for value in box[1].split())
        return round(right - left), round(top - bottom)

    def _text(self, page: bytes) -> str:
        fonts = re.search(rb"/Font <<(.*?)>>", page, re.DOTALL)
        names = re.findall(rb"/(F\d+) (\d+) 0 R", fonts[1]) if fonts else []
        letters = {name: self._letters(int(number)) for name, number in names}
        shown: list[str] = []
        font: dict[bytes, str] = {}
        for name, codes, parts in SHOWN.findall(self._stream(_reference(page, b"Contents"))):
            font = letters.get(name, {}) if name else font
            for run in [codes] if codes else re.findall(rb"<([0-9A-F]+)>", parts):
                shown += [font.get(run[at : at + 4], "") for at in range(0, len(run), 4)]
        return "".join(shown)

    def _letters(self, number: int) -> dict[bytes, str]:
        """What each code of a font stands for (ISO 32000-1, 9.10.3)."""
        table = self._stream(_reference(self._objects[number], b"ToUnicode"))
        found = {}
        for block in re.findall(rb"beginbfchar\n(.*?)endbfchar", table, re.DOTALL):
            for code, letter in re.findall(rb"<(\w{4})> <(\w+)>", block):
                found[code] = bytes.fromhex(letter.decode()).decode("utf-16-be")
        for block in re.findall(rb"beginbfrange\n(.*?)endbfrange", table, re.DOTALL):
            for first, last, letter in re.findall(rb"<(\w{4})> <(\w{4})> <(\w{4})>", block):
                for step in range(int(last, 16) - int(first, 16) + 1):
                    found[b"%04X" % (int(first, 16) + step)] = chr(int(letter, 16) + step)
        return found

    def _stream(self, number: int) -> bytes:
        body = self._objects[number]
        data = STREAM.search(body)
        if data is None:
            return b""
        return zlib.decompress(data[1]) if b"/FlateDecode" in body[: data.start()] else data[1]


def _reference(body: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb" (\d+) 0 R", body)
    return int(found[1]) if found else 0
