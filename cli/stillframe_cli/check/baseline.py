"""The directory with the images of how pages should look. It is meant to be committed with the site."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from stillframe.comparison.pixels import Box

from ..files import write_file

# What an image cannot say: which page it is of, and where it shows what is not compared.
INDEX_NAME = "pages.json"
EXTENSIONS = (".png", ".jpg", ".webp", ".avif")


@dataclass(frozen=True, slots=True)
class BaselineImage:
    """The image of one page, with the boxes in it that are not compared."""

    path: Path
    data: bytes
    ignored: tuple[Box, ...]


class Baseline:
    """The images by the names of their pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pages: dict[str, dict[str, Any]] = _read_index(folder / INDEX_NAME)

    @property
    def names(self) -> set[str]:
        """The names of all images that are there."""
        if not self.folder.is_dir():
            return set()
        return {path.stem for path in self.folder.iterdir() if path.suffix in EXTENSIONS}

    def find(self, name: str) -> BaselineImage | None:
        """The image of a page. Raises click.ClickException if it cannot be read."""
        path = self._path(name)
        if path is None:
            return None
        try:
            data = path.read_bytes()
        except OSError as error:
            raise click.ClickException(f"{path} cannot be read: {error.strerror}") from error
        boxes = self._pages.get(name, {}).get("ignoredBoxes") or ()
        return BaselineImage(path, data, tuple((box[0], box[1], box[2], box[3]) for box in boxes))

    def url(self, name: str) -> str | None:
        """The page that an image was taken of."""
        return self._pages.get(name, {}).get("url")

    def replace(self, name: str, extension: str, data: bytes) -> None:
        """Write the image of a page. Raises click.ClickException."""
        old = self._path(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.{extension}"
        write_file(path, data)
        if old is not None and old != path:
            old.unlink()

    def describe(self, name: str, url: str, ignored: list[list[int]] | None) -> None:
        """Note what the image of a page cannot say, for `write_index`."""
        self._pages[name] = {"url": url, **({"ignoredBoxes": ignored} if ignored else {})}

    def write_index(self) -> None:
        """Write what is noted of the images that are there, a line for each, in order. Raises click.ClickException."""
        names = self.names
        lines = [f"{json.dumps(name)}: {json.dumps(self._pages[name])}" for name in sorted(names & self._pages.keys())]
        write_file(self.folder / INDEX_NAME, "{\n" + ",\n".join(lines) + "\n}\n")

    def _path(self, name: str) -> Path | None:
        paths = (self.folder / f"{name}{extension}" for extension in EXTENSIONS)
        return next((path for path in paths if path.is_file()), None)


def _read_index(path: Path) -> dict[str, dict[str, Any]]:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path} cannot be read: {error}; restore it, or take it away") from error
    return index if isinstance(index, dict) else {}
