"""Pages made with real libraries are captured as a visitor sees them. `make test` installs the libraries."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator

import pytest

from stillframe_renderer.browsers.engine import RenderEngine
from tests.conftest import missing
from tests.corpus.site import CorpusSite
from tests.corpus.test_corpus import problems
from tests.support.rendering import local_engine, outcome_of
from tests.support.serving import serving
from tests.support.workers import ROOT

from .pages import LIBRARIES

FOLDER = ROOT / "build/libraries/node_modules"


class LibrarySite(CorpusSite):
    """Serves the pages, the libraries below /lib/, and what the pages of the corpus request."""

    def do_GET(self) -> None:
        folder, _, path = self.path.partition("?")[0].removeprefix("/").partition("/")
        file = (FOLDER / path).resolve()
        if folder == "lib" and file.is_relative_to(FOLDER) and file.is_file():
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


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_page_with_a_real_library_is_right(engine: RenderEngine, site: str, name: str) -> None:
    # Given / When a page as the library's documentation shows it
    page = LIBRARIES[name]
    result = outcome_of(engine, f"http://{site}/library/{name}", **page.options)
    # Then it is right by its known colours
    assert problems(page, result) == []
