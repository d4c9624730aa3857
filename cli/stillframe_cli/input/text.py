"""Reads text that people wrote on any system: byte order marks, line ends of Windows, standard input."""

from __future__ import annotations

import codecs
import re
import sys
from pathlib import Path

import click

from ..console import print_note

STDIN = "-"
# PowerShell's `>` writes UTF-16, Notepad writes UTF-8 with a mark.
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Not str.splitlines: JSON text may contain other characters that it takes for the end of a line, such as U+2028.
LINE_END = re.compile(r"\r\n|\n|\r")


def read_text(path: str, option: str) -> str:
    """Read a file, or standard input for `-`, as UTF-8 or by its byte order mark.

    Raises click.UsageError that names `option` and says what is wrong with the file.
    """
    name = "standard input" if path == STDIN else path
    if path == STDIN and sys.stdin.isatty():
        print_note("Reading from the terminal, one URL on each line. Ctrl-D ends the list.")
    try:
        data = sys.stdin.buffer.read() if path == STDIN else Path(path).expanduser().read_bytes()
    except OSError as error:
        raise click.UsageError(f"{option}: {path} cannot be read: {error.strerror}") from error
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _decode(data[len(mark) :], encoding, name, option)
    return _decode(data, "utf-8", name, option)


def split_lines(text: str) -> list[str]:
    """Split text at the line ends of Unix, Windows and old Macs."""
    return LINE_END.split(text)


def _decode(data: bytes, encoding: str, name: str, option: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise click.UsageError(f"{option}: {name} is not text in UTF-8 (line {line}).") from error
