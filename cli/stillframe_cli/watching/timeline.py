"""The history of a watch as a page: the images of each page of it, with a slider through time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from stillframe.archive import Archive
from stillframe.aws_errors import http_status
from stillframe.image.extra import ExtraKind
from stillframe.table.record import Record, Status, id_digest
from stillframe.watches.history import Period
from stillframe.watches.watch import period_text

from ..console import ProgressReport
from ..difference_report import describe_region
from ..local.folder import OutputFolder
from ..templates import environment

PAGE_NAME = "index.html"
# The digest of an image is its name: what looks the same in every pixel is stored once.
DIGEST_CHARS = 20


@dataclass(frozen=True, slots=True)
class Line:
    """The periods of one page, the latest first."""

    url: str
    periods: Sequence[Period]


class Timeline:
    """Downloads what the lines show, and writes the page beside it."""

    def __init__(self, archive: Archive, folder: OutputFolder) -> None:
        self._archive = archive
        self._folder = folder

    def write(self, title: str, lines: Sequence[Line]) -> Path:
        """Write everything and return the path of the page. Raises RunStopped and ClientError.

        An image that is there already is not downloaded again.
        """
        with ProgressReport("downloading", sum(len(line.periods) for line in lines)) as progress:
            shown = [
                {"url": line.url, "periods": list(self._shown(line.periods, progress))}
                for line in lines
                if line.periods
            ]
        page = environment().get_template("timeline.html.j2").render(title=title, lines=shown)
        return self._folder.write(PAGE_NAME, page.encode(errors="replace"))

    def _shown(self, periods: Sequence[Period], progress: ProgressReport) -> Iterator[dict[str, Any]]:
        """The periods as the page's script has them, the oldest first."""
        for period in reversed(periods):
            yield {
                "period": period_text(period.at_ms),
                "state": period.state,
                "id": period.id,
                **self._facts(period.record),
            }
            progress.advance(period.id)

    def _facts(self, record: Record | None) -> Mapping[str, Any]:
        if record is None:
            return {}
        if record.status is not Status.SUCCESS or not record.sha256:
            return {"problem": ": ".join(filter(None, (record.error_code, record.error_message)))}
        marked = (record.extras or {}).get(ExtraKind.DIFFERENCE.value)
        return {
            "file": self._image(record),
            "marked": self._marked(record, marked) if marked is not None else None,
            "changed": bool(record.changed) and record.changed_since is None,
            "difference": record.difference,
            "unconfirmed": bool(record.unconfirmed),
            "problem": record.comparison_problem,
            "regions": [describe_region(region) for region in (record.changed_regions or ())[:5]],
        }

    def _image(self, record: Record) -> str | None:
        name = f"{(record.sha256 or '')[:DIGEST_CHARS]}{PurePosixPath(record.s3_key or '').suffix}"
        return self._kept(name, lambda: self._archive.image(record))

    def _marked(self, record: Record, url: str) -> str | None:
        # Not named after its image: the same image may follow others, from which it differs elsewhere.
        name = f"{id_digest(record.id)[:DIGEST_CHARS]}-changed{PurePosixPath(url).suffix}"
        return self._kept(name, lambda: self._archive.object_at(url))

    def _kept(self, name: str, download: Callable[[], bytes]) -> str | None:
        """The name of a file that is there now, None if its object is gone."""
        if not (self._folder.path / name).is_file():
            try:
                self._folder.write(name, download())
            except ClientError as error:
                if http_status(error) != 404:
                    raise
                return None
        return name
