"""The corpus is the same each time with the preset `repeatable`: within a browser, and in another process."""

from __future__ import annotations

import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from stillframe.image.render_result import RenderResult
from tests.support.rendering import local_engine, render_each
from tests.support.serving import serving

from .pages import PAGES
from .site import CorpusSite

# What cannot be the same each time, and why.
DIFFERENT: dict[str, str] = {}


def capture_all(chromium: str, site: str, times: int) -> list[dict[str, str]]:
    """The checksum of each page's image, as often as asked, with one browser. Runs in a process of its own."""
    pages = {
        name: (f"http://{site}/corpus/{name}", {**page.options, "preset": "repeatable"}) for name, page in PAGES.items()
    }
    rounds = []
    with local_engine(chromium, site) as engine:
        for _ in range(times):
            checksums = {}
            for name, result in render_each(engine, pages).items():
                assert isinstance(result, RenderResult), (name, result)
                checksums[name] = hashlib.sha256(result.data).hexdigest()
            rounds.append(checksums)
    return rounds


@pytest.fixture(scope="module")
def rounds(chromium: str) -> list[dict[str, str]]:
    """Three captures of each page: two in one process, one in another."""
    # A process that is started from scratch shares nothing with this one.
    spawn = multiprocessing.get_context("spawn")
    with serving(CorpusSite) as site:
        found = []
        for times in (2, 1):
            with ProcessPoolExecutor(1, mp_context=spawn) as process:
                found += process.submit(capture_all, chromium, site, times).result()
        return found


@pytest.mark.parametrize("name", [name for name in PAGES if name not in DIFFERENT])
def test_a_page_is_the_same_each_time(rounds: list[dict[str, str]], name: str) -> None:
    assert len(rounds) == 3
    assert len({each[name] for each in rounds}) == 1
