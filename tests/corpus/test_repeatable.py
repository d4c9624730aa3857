"""The corpus is the same each time with the preset `repeatable`, within a browser and in another one."""

from __future__ import annotations

import pytest

from stillframe.image.render_result import RenderResult
from tests.support.rendering import local_engine, render_each
from tests.support.serving import serving

from .pages import PAGES
from .site import CorpusSite

# What cannot be the same each time, and why.
DIFFERENT: dict[str, str] = {}


@pytest.fixture(scope="module")
def images(chromium: str) -> dict[str, set[bytes]]:
    """The images of each page: two of one browser, one of another."""
    images: dict[str, set[bytes]] = {name: set() for name in PAGES}
    with serving(CorpusSite) as site:
        pages = {
            name: (f"http://{site}/corpus/{name}", {**page.options, "preset": "repeatable"})
            for name, page in PAGES.items()
        }
        for times in (2, 1):
            with local_engine(chromium, site) as engine:
                for _ in range(times):
                    for name, result in render_each(engine, pages).items():
                        assert isinstance(result, RenderResult), (name, result)
                        images[name].add(result.data)
    return images


@pytest.mark.parametrize("name", [name for name in PAGES if name not in DIFFERENT])
def test_a_page_is_the_same_each_time(images: dict[str, set[bytes]], name: str) -> None:
    assert len(images[name]) == 1
