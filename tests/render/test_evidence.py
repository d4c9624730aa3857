"""The facts about its page that a record holds."""

from __future__ import annotations

import pytest

from stillframe.errors import BlockedScheme
from tests.support.rendering import render_error

from .conftest import Studio


def test_the_document_is_described(studio: Studio) -> None:
    result = studio.render("<title>A page</title><meta name=description content='What it is about'>")
    assert (result.facts.title, result.facts.description) == ("A page", "What it is about")
    assert studio.render("<meta property='og:description' content='Open'>").facts.description == "Open"


@pytest.mark.parametrize("target", ["file:///etc/hostname", "data:text/html,x"])
def test_a_redirect_to_a_scheme_that_no_page_has_is_refused_for_good(studio: Studio, target: str) -> None:
    assert isinstance(render_error(studio.engine, f"http://{studio.site}/redirect?to={target}"), BlockedScheme)


def test_redirects_are_recorded(studio: Studio) -> None:
    result = studio.visit("/redirect?to=/redirect?to=/end")
    assert result.facts.final_url == f"http://{studio.site}/end"
    assert result.facts.redirects == [
        f"http://{studio.site}/redirect?to=/redirect?to=/end",
        f"http://{studio.site}/redirect?to=/end",
    ]
    assert (result.facts.http_status, result.facts.page_content_type) == (200, "text/html")


def test_requests_are_counted(studio: Studio) -> None:
    result = studio.visit("/page?body=<img src=/image><img src=http://127.0.0.1:1/none>")
    assert (result.facts.requests, result.facts.failed_requests) == (3, 1)
    assert (result.facts.transferred_bytes or 0) > 200


def test_errors_of_the_page_are_recorded(studio: Studio) -> None:
    # Given / When a page that logs an error and throws another
    result = studio.render(
        "<script>console.error('one', 2, 2.5, -0.5, 1e300); console.log('quiet')</script>"
        "<script>nobody.knows()</script>"
    )
    # Then both are recorded
    assert result.facts.console_errors == ["one 2 2.5 -0.5 1e+300", "ReferenceError: nobody is not defined"]


def test_timings_are_in_order(studio: Studio) -> None:
    timings = studio.visit("/page?body=<img src=/image?ms=100>").facts.timings or {}
    names = ["responseMs", "domContentLoadedMs", "loadMs", "settledMs"]
    assert list(timings) == names
    assert sorted(timings.values()) == list(timings.values())
    assert timings["loadMs"] - timings["responseMs"] >= 100


def test_long_facts_are_cut_or_left_out(studio: Studio) -> None:
    # Given a page that redirects through URLs of 30,000 characters, only a few of which would fit a record
    long = "x" * 30_000
    result = studio.visit(f"/redirect?long={long}&to=/end%3F{long}")
    # Then its record stays small
    assert [len(url) for url in result.facts.redirects or []] == [2048]
    assert result.facts.final_url is None
    assert result.facts.http_status == 200


def test_half_a_surrogate_pair_is_replaced(studio: Studio) -> None:
    # Given / When a page with halves of surrogate pairs, which no encoding has, in title, console and path
    result = studio.render(
        "<script>document.title = 'a\\ud800b'; console.error('\\udc00', '\\u{1f600}');"
        "history.replaceState(null, '', '#\\ud800')</script>"
    )
    # Then the halves are replaced, and complete characters stay
    assert result.facts.title == "a?b"
    assert result.facts.console_errors == ["? \U0001f600"]
    # And the browser can render another page
    assert studio.render("<title>next</title>").facts.title == "next"
