"""`referer`: the page that the visitor comes from."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from .conftest import Studio

FROM = "https://search.example/results?q=lamp"
SHOW = "<script>document.title += ' ' + document.referrer</script>"
LATER = "<script src='/headers.js?name=Referer'></script>"


def test_a_page_is_told_where_its_visitor_comes_from(studio: Studio) -> None:
    # Given / When a page is captured with a referer of another origin
    title = studio.visit(f"/headers?name=Referer&body={quote(SHOW)}", referer=FROM).facts.title
    # Then the site and the page's scripts get all of it
    assert title == f"{FROM} {FROM}"


def test_the_requests_of_the_page_itself_name_the_page(studio: Studio) -> None:
    path = f"/headers?name=Referer&body={LATER}"
    title = studio.visit(path, referer=FROM).facts.title or ""
    assert title.startswith(f"{FROM} http://{studio.site}/headers")


@pytest.mark.parametrize("options", [{"html": f"<title>given</title>{SHOW}"}, {"javaScriptEnabled": False}])
def test_a_referer_goes_with_other_options(studio: Studio, options: dict[str, Any]) -> None:
    assert FROM in (studio.visit("/headers?name=Referer", referer=FROM, **options).facts.title or "")


def test_without_the_option_no_page_is_named(studio: Studio) -> None:
    assert studio.visit("/headers?name=Referer").facts.title == "none"
