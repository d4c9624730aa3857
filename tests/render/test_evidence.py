"""What a record tells of its page."""

from __future__ import annotations

from .conftest import Studio


def test_the_document_is_described(studio: Studio) -> None:
    shot = studio.shot("<title>A page</title><meta name=description content='What it is about'>")
    assert (shot.facts.title, shot.facts.description) == ("A page", "What it is about")
    assert studio.shot("<meta property='og:description' content='Open'>").facts.description == "Open"


def test_the_way_to_the_page_is_told(studio: Studio) -> None:
    shot = studio.visit("/redirect?to=/redirect?to=/end")
    assert shot.facts.final_url == f"http://{studio.site}/end"
    assert shot.facts.redirects == [
        f"http://{studio.site}/redirect?to=/redirect?to=/end",
        f"http://{studio.site}/redirect?to=/end",
    ]
    assert (shot.facts.http_status, shot.facts.page_content_type) == (200, "text/html")


def test_requests_are_counted(studio: Studio) -> None:
    shot = studio.visit("/page?body=<img src=/image><img src=http://127.0.0.1:1/none>")
    assert (shot.facts.requests, shot.facts.failed_requests) == (3, 1)
    assert (shot.facts.transferred_bytes or 0) > 200


def test_errors_of_the_page_are_told(studio: Studio) -> None:
    # Given / When
    shot = studio.shot(
        "<script>console.error('one', 2, 2.5, -0.5, 1e300); console.log('quiet')</script>"
        "<script>nobody.knows()</script>"
    )
    # Then
    assert shot.facts.console_errors == ["one 2 2.5 -0.5 1e+300", "ReferenceError: nobody is not defined"]


def test_the_times_are_in_their_order(studio: Studio) -> None:
    timings = studio.visit("/page?body=<img src=/image?ms=100>").facts.timings or {}
    names = ["responseMs", "domContentLoadedMs", "loadMs", "settledMs"]
    assert list(timings) == names
    assert sorted(timings.values()) == list(timings.values())
    assert timings["loadMs"] - timings["responseMs"] >= 100


def test_what_a_page_makes_long_is_cut_or_left_out(studio: Studio) -> None:
    # Given a page that goes over urls of 30,000 characters, which a record could not hold many of
    long = "x" * 30_000
    shot = studio.visit(f"/redirect?long={long}&to=/end%3F{long}")
    # Then its record stays small
    assert [len(url) for url in shot.facts.redirects or []] == [2048]
    assert shot.facts.final_url is None
    assert shot.facts.http_status == 200


def test_half_a_character_harms_nobody(studio: Studio) -> None:
    # Given / When a page whose title, console and path have halves of surrogate pairs, which no encoding has
    shot = studio.shot(
        "<script>document.title = 'a\\ud800b'; console.error('\\udc00', '\\u{1f600}');"
        "history.replaceState(null, '', '#\\ud800')</script>"
    )
    # Then they are replaced, and what is whole stays
    assert shot.facts.title == "a?b"
    assert shot.facts.console_errors == ["? \U0001f600"]
    # And the browser goes on
    assert studio.shot("<title>next</title>").facts.title == "next"
