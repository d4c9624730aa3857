"""What became of the pages: their results in the directory, with images and links."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stillframe.archive import Archive
from stillframe.image import page_link
from stillframe.image.page_link import PageLink
from stillframe.outcome import OutcomeKind
from stillframe.request.options import SavedForm
from stillframe.table.record import Record, Status

from ..local.folder import OutputFolder
from ..local.names import NamePool
from ..local.results import Result, SavedResults
from .frontier import Page

DOWNLOADS = 8
DEPTH, FOUND_ON = "depth", "foundOn"


class PageResults:
    """The results of one run by page. A result is there once everything that it names is."""

    def __init__(self, folder: OutputFolder, results: SavedResults, run: str, retries_failed: bool = False) -> None:
        """With `retries_failed`, a page that has failed has not ended."""
        self._retries_failed = retries_failed
        self._folder = folder
        self._results = results
        self._run = run
        self._names = NamePool(results.stems())
        if results.is_new:
            for path in folder.path.iterdir():
                # These files are somebody else's.
                self._names.take(path.stem)
        self._by_id = {str(each["id"]): each for each in results.all() if self._is_whole(each)}
        self._stems: dict[str, str] = {}

    @property
    def count(self) -> int:
        """How many pages have ended."""
        return len(self._by_id)

    def of(self, page: Page) -> Result | None:
        """The result of a page, or None if it has not ended."""
        return self._by_id.get(page.id(self._run))

    def links(self, result: Result) -> list[PageLink]:
        """What a page links to."""
        name = (result.get("extraFiles") or {}).get(SavedForm.LINKS.value)
        return page_link.from_json((self._folder.path / name).read_bytes()) if name else []

    def name(self, page: Page) -> None:
        """Choose the name of a page's image. To be called in the order of the pages, which so have the same names."""
        key = page.id(self._run)
        self._stems[key] = self._results.stem(key) or self._names.choose(page.url)

    def save(self, ended: Mapping[Page, Record], archive: Archive) -> list[Result]:
        """Save what has ended: image and links first, then the result. Raises RunStopped and errors of botocore."""
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            files = pool.map(lambda record: self._download(record, archive), ended.values())
            return [
                self._add(page, _result(record) | each)
                for (page, record), each in zip(ended.items(), files, strict=True)
            ]

    def save_refused(self, page: Page, code: str, message: str) -> Result:
        """Save that a page could not even be requested. Raises RunStopped."""
        failed = {"outcome": OutcomeKind.FAILED.value, "status": Status.FAILED.value}
        return self._add(
            page, {"id": page.id(self._run), "url": page.url, **failed, "errorCode": code, "errorMessage": message}
        )

    def order(self, pages: Iterable[Page]) -> None:
        """Put the results into the order of the pages. Raises RunStopped."""
        self._results.rewrite(page.id(self._run) for page in pages)

    def _add(self, page: Page, result: Result) -> Result:
        result |= {DEPTH: page.depth, FOUND_ON: page.found_on}
        self._results.add(page.id(self._run), result)
        self._by_id[page.id(self._run)] = result
        return result

    def _download(self, record: Record, archive: Archive) -> dict[str, Any]:
        if not record.s3_key:
            return {}
        name = f"{self._stems[record.id]}.{record.s3_key.rpartition('.')[2]}"
        extras = {}
        for kind, url in sorted((record.extras or {}).items()):
            extras[kind] = f"{name}.{url.rpartition('/')[2]}"
            self._folder.write(extras[kind], archive.object_at(url))
        path = self._folder.write(name, archive.image(record))
        return {"path": str(path), "file": name, "extraFiles": extras}

    def _is_whole(self, result: Result) -> bool:
        if result.get("outcome") == OutcomeKind.FAILED.value:
            return not self._retries_failed
        with contextlib.suppress(OSError, ValueError):
            self.links(result)
            return self._results.finished(str(result["id"])) is not None
        return False


def _result(record: Record) -> Result:
    is_success = record.status is Status.SUCCESS
    return {**record.to_wire(), "outcome": (OutcomeKind.CAPTURED if is_success else OutcomeKind.FAILED).value}
