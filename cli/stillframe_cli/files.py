"""Writes a file that a command was asked for: all of it or nothing, or to standard output for `-`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click

STDOUT = "-"


class OutputPath(click.ParamType[Path]):
    """The path of a file to write. It is checked before anything is done.

    With `takes_stdout`, `-` stands for standard output. A command that prints its results there cannot take it.
    """

    name = "file"

    def __init__(self, takes_stdout: bool = False) -> None:
        self._takes_stdout = takes_stdout

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(str(value)).expanduser()
        if str(value) == STDOUT:
            if not self._takes_stdout:
                self.fail("standard output has the results already; name a file, or use --json", param, ctx)
            if sys.stdout.isatty():
                self.fail("the terminal cannot show the file; redirect it: ... --out - > FILE", param, ctx)
            return Path(STDOUT)
        if path.is_dir():
            self.fail(f"{path} is a directory; name a file in it", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"{path.parent} is not a directory; create it first", param, ctx)
        if not os.access(path.parent, os.W_OK):
            self.fail(f"{path.parent} cannot be written; choose another directory", param, ctx)
        return path


class PlotPath(OutputPath):
    """The path of a plot, whose suffix chooses the format."""

    suffixes = (".svg", ".png", ".pdf")

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = super().convert(value, param, ctx)
        if path.suffix.lower() not in self.suffixes:
            self.fail(f"{path} must end in {', '.join(self.suffixes[:-1])} or {self.suffixes[-1]}", param, ctx)
        return path


def write_file(path: Path, data: bytes | str) -> None:
    """Write the file: a full disk must not leave half of it under its name. Raises click.ClickException."""
    content = data.encode() if isinstance(data, str) else data
    try:
        if str(path) == STDOUT:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        if path.exists() and not path.is_file():
            # A device or a pipe, such as /dev/stdout.
            path.write_bytes(content)
            return
        _replace(path, content)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error


def _replace(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
