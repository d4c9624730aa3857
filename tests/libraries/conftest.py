"""A site with the libraries, and an engine that captures its pages. `make test` installs the libraries."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator

import pytest

from stillframe_renderer.browsers.engine import RenderEngine
from tests.conftest import missing
from tests.corpus.site import CorpusSite
from tests.support.rendering import local_engine
from tests.support.serving import serving
from tests.support.workers import ROOT

from .pages import LIBRARIES

FOLDER = ROOT / "build/libraries/node_modules"
BUILT = ROOT / "build/libraries/built"


class LibrarySite(CorpusSite):
    """Serves the pages, the libraries below /lib/, and what the pages of the corpus request."""

    def do_GET(self) -> None:
        folder, _, path = self.path.partition("?")[0].removeprefix("/").partition("/")
        place = {"lib": FOLDER, "built": BUILT}.get(folder, FOLDER)
        file = (place / path).resolve()
        if folder in ("lib", "built") and file.is_relative_to(place) and file.is_file():
            content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            self.answer(200, file.read_bytes(), **{"Content-Type": content_type})
        elif folder == "library":
            self.answer(200, LIBRARIES[path].html.encode())
        else:
            super().do_GET()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    if not FOLDER.is_dir():
        missing("the JavaScript libraries are not installed: run scripts/libraries .venv build/libraries")
    with serving(LibrarySite) as address:
        yield address


@pytest.fixture(scope="module")
def engine(chromium: str, site: str) -> Iterator[RenderEngine]:
    with local_engine(chromium, site) as running:
        yield running
