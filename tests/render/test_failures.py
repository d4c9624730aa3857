"""`failOnConsoleError` and `failOnResourceError`: errors of the page that fail the capture, for good."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.errors import PermanentError
from tests.support.pixels import GREEN

from .conftest import Studio

GREEN_PAGE = "<body style='background:#00aa00'>"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<script>console.error('no', 7)</script>", "the page logged 1 error: no 7"),
        ("<script>nobody.knows()</script>", "1 error: ReferenceError: nobody is not defined"),
        ("<script>Promise.reject(new Error('late'))</script>", "1 error: Error: late"),
        ("<script>onload = () => setTimeout(() => console.error('later'), 200)</script>", "1 error: later"),
        ("<script>console.error(1); console.error(2)</script>", "2 errors, the first: 1"),
    ],
)
def test_a_page_with_an_error_on_its_console_is_refused(studio: Studio, page: str, words: str) -> None:
    # Given / When a page with an error is captured
    error = studio.render_error(GREEN_PAGE + page, failOnConsoleError=True)
    # Then it fails for good, with the first error in its message
    assert (error.code, isinstance(error, PermanentError)) == ("CONSOLE_ERROR", True)
    assert words in error.message
    # And without the option it is captured
    assert studio.pixels(GREEN_PAGE + page).is_all(GREEN)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<img src=/missing?status=404>", "/missing?status=404 (answered 404)"),
        ("<script src=/missing?status=503></script>", "/missing?status=503 (answered 503)"),
        ("<link rel=stylesheet href=/missing?status=410>", "(answered 410)"),
        ("<script>fetch('/missing?status=500')</script>", "(answered 500)"),
        ("<iframe src=/missing?status=404></iframe>", "(answered 404)"),
        ("<img src=/drop>", "/drop (ERR_"),
        ("<img src=http://nowhere.invalid/a.png>", "http://nowhere.invalid/a.png (ERR_"),
        ("<img src=/missing?status=404&n=1><img src=/missing?status=404&n=2>", "2 resources, the first: http"),
    ],
)
def test_a_page_that_lacks_a_resource_is_refused(studio: Studio, page: str, words: str) -> None:
    error = studio.render_error(GREEN_PAGE + page, failOnResourceError=True)
    assert (error.code, isinstance(error, PermanentError)) == ("RESOURCE_ERROR", True)
    assert words in error.message


@pytest.mark.parametrize(
    ("page", "options"),
    [
        ("<img src='/image'>", {}),
        ("<img src='/missing?status=404'>", {"blockUrls": ["*missing*"]}),
        ("<img src='/missing?status=404'>", {"blockResources": ["image"]}),
        ("<script>const stop = new AbortController; fetch('/hang', stop).catch(() => {}); stop.abort()</script>", {}),
        ("<script>navigator.sendBeacon('/missing?status=404')</script>", {}),
        ("<script>console.warn('careful')</script>", {}),
    ],
)
def test_what_is_blocked_is_not_missed(studio: Studio, page: str, options: dict[str, Any]) -> None:
    found = studio.pixels(GREEN_PAGE + page, failOnResourceError=True, failOnConsoleError=True, **options)
    assert found.at(640, 700) == GREEN


def test_the_status_of_the_page_itself_is_left_to_fail_on_status(studio: Studio) -> None:
    assert studio.visit("/missing?status=404", failOnResourceError=True).facts.http_status == 404
