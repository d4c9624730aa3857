"""Where elements are in a screenshot: what a comparison leaves out, and the element at a change."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.image.element import element_at, from_json
from stillframe.image.redaction import redacted
from stillframe.image.render_result import RenderResult

from .conftest import Studio

CLOCK = "<p id=clock style='margin:20px 0 0 30px;width:100px;height:40px;background:#00f'>12:00</p>"
PAGE = f"<div style='height:200px'></div><main>{CLOCK}<ul><li>one</li><li>two <b>three</b></li></ul></main>"


def ignored(result: RenderResult) -> list[list[int]] | None:
    return result.facts.ignored_boxes


@pytest.mark.parametrize(
    ("options", "box"),
    [
        ({}, [30, 220, 130, 260]),
        ({"fullPage": True}, [30, 220, 130, 260]),
        ({"deviceScaleFactor": 2}, [60, 440, 260, 520]),
        ({"clip": {"x": 10, "y": 200, "width": 300, "height": 300}}, [20, 20, 120, 60]),
        ({"selector": "main"}, [30, 0, 130, 40]),
        ({"scrollTo": 150, "html": "tall"}, [30, 70, 130, 110]),
    ],
    ids=["window", "full page", "scale", "clip", "selector", "scrolled"],
)
def test_an_ignored_element_is_recorded_where_the_image_shows_it(
    studio: Studio, options: dict[str, Any], box: list[int]
) -> None:
    html = PAGE + "<div style='height:3000px'></div>" if options.pop("html", None) else PAGE
    assert ignored(studio.render(html, comparison={"ignore": ["#clock"]}, **options)) == [box]


def test_a_masked_element_is_not_compared_either(studio: Studio) -> None:
    assert ignored(studio.render(PAGE, mask=["#clock"], compareTo="previous")) == [[30, 220, 130, 260]]
    # Where nothing is compared, nobody waits for it
    assert ignored(studio.render(PAGE, mask=["#clock"])) is None


@pytest.mark.parametrize(
    "page",
    [
        f"<div id=host></div><script>host.attachShadow({{mode: 'open'}}).innerHTML = `{CLOCK}`</script>",
        f"<iframe style='border:0;height:200px' srcdoc=\"<style>body{{margin:0}}</style>{CLOCK}\"></iframe>",
    ],
    ids=["shadow root", "frame"],
)
def test_an_element_is_ignored_in_shadow_roots_and_frames(studio: Studio, page: str) -> None:
    ((left, _, right, _),) = ignored(studio.render(page, comparison={"ignore": ["#clock"]})) or [[]]
    assert (left, right) == (30, 130)


def test_nothing_is_measured_without_need(studio: Studio) -> None:
    result = studio.render(PAGE)
    assert (ignored(result), result.elements) == (None, ())
    assert ignored(studio.render(PAGE, comparison={"ignore": ["#nobody"]})) is None


def test_an_invalid_selector_is_refused(studio: Studio) -> None:
    assert studio.render_error(PAGE, comparison={"ignore": ["a["]}).code == "INVALID_REQUEST"


def test_a_change_is_named_by_the_innermost_element_around_it(studio: Studio) -> None:
    # Given the elements of a page that is to be compared
    elements = studio.render(PAGE, compareTo="previous").elements
    # When a region lies in one of them, then it is that one
    clock = element_at(elements, (40, 225, 60, 250))
    assert clock is not None
    assert (clock.selector, clock.text) == ("#clock", "12:00")
    # And the selector of one without an id goes down from where it is unique
    last = next(each for each in elements if each.text == "three")
    assert last.selector == "body > main > ul > li:nth-of-type(2) > b"
    # And a region across several has the element that they are in
    main = element_at(elements, (40, 225, 60, 290))
    assert main is not None
    assert main.selector == "body > main"


def test_an_element_in_a_shadow_root_is_found_through_its_host(studio: Studio) -> None:
    page = f"<div id=host></div><script>host.attachShadow({{mode: 'open'}}).innerHTML = `{CLOCK}`</script>"
    elements = studio.render(page, compareTo="previous").elements
    assert "#host >>> #clock" in [each.selector for each in elements]


def test_the_elements_can_be_saved(studio: Studio) -> None:
    # Given / When a page is captured with its elements
    result = studio.render(PAGE, save=["elements"])
    # Then they are a file beside its image
    (extra,) = result.extras
    assert extra.file == "page.json"
    assert from_json(extra.data) == list(result.elements)
    assert ("#clock", "12:00") in [(each.selector, each.text) for each in result.elements]


def test_texts_are_short_and_can_be_stored(studio: Studio) -> None:
    # Given a long text that would be cut within a character, a script, and half a character
    page = f"<p id=long>{'x' * 199}\U0001f34e</p><p id=half></p><p id=code>Total <script>secret()</script>19.90</p>"
    page += "<script>half.textContent = 'a\\ud83c'</script>"
    # When the page is captured with its elements
    texts = {each.selector: each.text for each in studio.render(page, save=["elements"]).elements}
    # Then each text is well-formed, and shows only what the page shows
    assert texts["#long"] == "x" * 199 + "\ufffd"
    assert texts["#half"] == "a\ufffd"
    assert texts["#code"] == "Total 19.90"


def test_a_page_with_very_many_elements_is_outlined_in_part(studio: Studio) -> None:
    result = studio.render("<script>document.write('<i>x</i>'.repeat(60000))</script>", save=["elements"])
    assert len(result.elements) == 5000
    assert result.elements[-1].selector.startswith("body > i:nth-of-type(")


def test_a_secret_that_a_page_shows_is_redacted_from_its_elements(studio: Studio) -> None:
    page = "<p id=my-secret-token>my-secret-token is yours</p>"
    result = redacted(studio.render(page, save=["elements"]), ["my-secret-token"])
    texts = [each.text for each in result.elements]
    assert "********** is yours" in texts
    assert b"my-secret-token" not in result.extras[0].data
    assert "my-secret-token" not in "".join(each.selector for each in result.elements)
