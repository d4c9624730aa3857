"""Pages made with real libraries are captured as a visitor sees them."""

from __future__ import annotations

import pytest

from stillframe_renderer.browsers.engine import RenderEngine
from tests.corpus.test_corpus import problems
from tests.support.rendering import outcome_of

from .pages import BUILT_PAGES, LIBRARIES


@pytest.mark.parametrize("name", BUILT_PAGES)
def test_an_application_that_was_built_is_right(engine: RenderEngine, site: str, name: str) -> None:
    # Given / When an application as its framework's build tool makes it
    page = BUILT_PAGES[name]
    result = outcome_of(engine, f"http://{site}/built/{name}/dist/index.html", **page.options)
    # Then it is right by its known colours
    assert problems(page, result) == []


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_page_with_a_real_library_is_right(engine: RenderEngine, site: str, name: str) -> None:
    # Given / When a page as the library's documentation shows it
    page = LIBRARIES[name]
    result = outcome_of(engine, f"http://{site}/library/{name}", **page.options)
    # Then it is right by its known colours
    assert problems(page, result) == []
