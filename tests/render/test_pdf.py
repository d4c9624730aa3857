"""PDFs: their styles, sheets and margins, what is on them, and what the request adds."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stillframe.errors import InvalidRequest
from stillframe.request.options.print_template import TemplateChecker
from tests.support.printed import Printed

from .conftest import Studio

STYLED = (
    "<style>@media print { .web { display: none } } @media screen { .paper { display: none } }</style>"
    "<h1 class=web>WEB</h1><h1 class=paper>PAPER</h1>"
)
LINES = "".join(f"<p>line {number}</p>" for number in range(1, 121))
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAA"
    "AABJRU5ErkJggg=="
)


def printed(studio: Studio, html: str, **options: Any) -> Printed:
    return Printed(studio.render(html, format="pdf", **options).data)


@pytest.mark.parametrize(
    ("options", "words"), [({}, "PAPER"), ({"media": "print"}, "PAPER"), ({"media": "screen"}, "WEB")]
)
def test_a_pdf_has_the_styles_of_print_unless_screen_is_named(
    studio: Studio, options: dict[str, str], words: str
) -> None:
    # Given a page that shows one heading on screens and another in print
    # When it is printed, then the heading is that of print, or that of the medium the request names
    assert printed(studio, STYLED, **options).text == words


@pytest.mark.parametrize(
    ("size", "pixels", "points"),
    [
        ("A5", (559, 794), (420, 595)),
        ("A3 landscape", (1587, 1123), (1191, 842)),
        ("letter", (816, 1056), (612, 792)),
        ("ledger", (1056, 1632), (792, 1224)),
        ("jis-b5", (688, 971), (516, 729)),
        ("landscape", (1122, 794), (842, 596)),
        ("62mm 100mm", (234, 378), (176, 283)),
        ("4in 6in", (384, 576), (288, 432)),
        ("12cm", (454, 454), (340, 340)),
        ("500px 300px", (500, 300), (375, 225)),
        ("300pt 200pt", (400, 267), (300, 200)),
    ],
)
def test_a_page_gets_the_sheet_that_it_names(
    studio: Studio, size: str, pixels: tuple[int, int], points: tuple[int, int]
) -> None:
    # Given a page with a sheet of its own
    result = studio.render(f"<style>@page {{ size: {size} }}</style><p>text", format="pdf")
    # Then the PDF has that sheet, and the record its true size
    got = Printed(result.data).sheets[0]
    assert max(abs(one - other) for one, other in zip(got, points, strict=True)) <= 1
    assert (result.width, result.height) == pixels


def test_the_size_of_a_sheet_is_read_even_if_its_style_sheet_cannot_be(studio: Studio) -> None:
    # Given a sheet whose name only the browser can read, because it is calculated
    result = studio.render("<style>@page { size: calc(50mm + 50mm) calc(1in + 3in) }</style>text", format="pdf")
    # Then its size is that of the PDF, which is rounded to points
    assert abs(result.width - 378) <= 1
    assert abs(result.height - 384) <= 1


@pytest.mark.parametrize(
    ("style", "pdf", "points", "margins"),
    [
        # The page decides on what the request does not name.
        ("size: A5; margin: 25mm 20mm", {}, (420, 595), (20, 25)),
        ("size: A5", {}, (420, 595), (10, 10)),
        ("margin: 0", {}, (596, 842), (0, 0)),
        ("size: A5; margin: 25mm 20mm", {"paper": "A6"}, (298, 420), (20, 25)),
        ("size: A5; margin: 25mm 20mm", {"landscape": True}, (842, 595), (20, 25)),
        ("size: A5; margin: 25mm 20mm", {"marginMm": 10}, (420, 595), (10, 10)),
        ("size: A5; margin: 25mm 20mm", {"margins": {"left": "1in"}}, (420, 595), (25, 10)),
        ("size: A5; margin: 25mm 20mm", {"paper": "A4", "marginMm": 0}, (595, 842), (0, 0)),
        # The request alone.
        ("", {}, (596, 842), (10, 10)),
        ("", {"paper": "A0"}, (2384, 3370), (10, 10)),
        ("", {"paper": {"width": 100, "height": "50mm"}}, (283, 142), (10, 10)),
        ("", {"paper": {"width": "10cm", "height": "6in"}, "landscape": True}, (432, 283), (10, 10)),
        ("", {"marginMm": 5, "margins": {"top": "96px"}}, (596, 842), (5, 25)),
    ],
)
def test_a_paper_and_margins_of_the_request_take_precedence(
    studio: Studio, style: str, pdf: dict[str, Any], points: tuple[int, int], margins: tuple[int, int]
) -> None:
    # Given a page that names its sheet, its margins, both or neither
    pages = printed(studio, f"<style>@page {{ {style} }}</style><p>text", pdf=pdf)
    # Then what the request names is as it says, and the rest as the page says
    assert max(abs(one - other) for one, other in zip(pages.sheets[0], points, strict=True)) <= 1
    assert pages.margins_mm == margins


def test_a_sheet_of_the_request_holds_for_named_pages_as_well(studio: Studio) -> None:
    page = "<style>@page { size: A5 } @page wide { size: A4 landscape } div { page: wide }</style><p>one<div>two</div>"
    assert len(set(printed(studio, page).sheets)) == 2
    assert set(printed(studio, page, pdf={"paper": "Letter"}).sheets) == {(612, 792)}


def test_headers_and_footers_have_page_numbers(studio: Studio) -> None:
    # Given templates with the page's title and its numbers
    pdf = {
        "header": "<span class=title></span> as of today",
        "footer": "<p align=center>Page <span class=pageNumber></span> of <span class=totalPages></span></p>",
        "marginMm": 20,
    }
    pages = printed(studio, f"<title>Report</title>{LINES}", pdf=pdf)
    # Then each sheet has them
    number = len(pages.sheets)
    assert number > 2
    assert [text.count("Report as of today") for text in pages.texts] == [1] * number
    assert [f"Page {index} of {number}" in text for index, text in enumerate(pages.texts, 1)] == [True] * number


def test_a_header_alone_brings_no_footer_of_the_browsers(studio: Studio) -> None:
    assert printed(studio, "<p>text", pdf={"header": "<b>mine</b>"}).text in ("minetext", "textmine")


def test_a_template_may_have_inline_images(studio: Studio) -> None:
    pages = printed(studio, "<p>text", pdf={"header": f"<img src='{DOT}' width=20 height=20>"})
    assert b"/Subtype /Image" in pages.data


def test_the_browser_loads_nothing_and_runs_nothing_for_a_template(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a template with everything that could load or run, of which the check lets all pass
    monkeypatch.setattr(TemplateChecker, "feed", lambda *_: None)
    site = f"http://{studio.site}"
    run = f"document.getElementById('sign').textContent = 'RAN'; fetch('{site}/fetch'); location = '{site}/moved'"
    template = f"""<b id=sign>inert</b><img src="{site}/image" onerror="{run}"><img src="data:," onerror="{run}">
      <img src="file:///etc/hostname"><style onload="{run}">b {{ background: url({site}/style) }}</style>
      <svg onload="{run}"><image href="{site}/svg"/></svg><script>{run}</script><script src="{site}/script"></script>
      <iframe src="{site}/frame"></iframe><iframe src="file:///etc/hostname"></iframe>
      <iframe srcdoc="<img src={site}/inner>"></iframe><object data="{site}/object"></object><embed src="{site}/embed">
      <video src="{site}/video" poster="{site}/poster"></video><meta http-equiv=refresh content="0;url={site}/refresh">
      <form action="{site}/form"><input autofocus onfocus="this.form.submit()"></form>"""
    # When a page is printed with it
    pages = printed(studio, "<p>text", pdf={"header": template, "marginMm": 40})
    # Then no request is made, and no script has run
    assert studio.requested == []
    assert "inert" in pages.text
    assert "RAN" not in pages.text


@pytest.mark.parametrize(
    ("ranges", "numbers"), [("2", [2]), ("1, 3", [1, 3]), ("2-3", [2, 3]), ("3-", [3, 4]), ("4-99", [4])]
)
def test_only_the_pages_of_a_range_are_printed(studio: Studio, ranges: str, numbers: list[int]) -> None:
    # Given a document of four pages
    page = "".join(f"<h1 style='break-after:page'>Part {number}</h1>" for number in (1, 2, 3)) + "<h1>Part 4</h1>"
    # When a part of it is printed, then it has those pages
    assert printed(studio, page, pdf={"pageRanges": ranges}).texts == [f"Part {number}" for number in numbers]


def test_backgrounds_can_be_left_out(studio: Studio) -> None:
    # Given a page that is one green box
    page = "<div style='width:100px;height:100px;background:#00aa00'></div>"
    # Then the PDF has the colour, or not
    assert [printed(studio, page, pdf={"background": each}).has_colour("0 .6667 0") for each in (True, False)] == [
        True,
        False,
    ]


def test_a_range_beyond_the_document_is_refused(studio: Studio) -> None:
    error = studio.render_error("<p>text", format="pdf", pdf={"pageRanges": "5-6"})
    assert isinstance(error, InvalidRequest)
    assert error.message == "options: pdf.pageRanges: must begin within the document, which has fewer pages"


def test_the_outline_and_the_tags_can_be_chosen(studio: Studio) -> None:
    page = "<h1>One</h1><h2>Two</h2>"
    kinds = [printed(studio, page, pdf=pdf) for pdf in ({}, {"outline": True}, {"tagged": False})]
    assert [(each.has_outline, each.is_tagged) for each in kinds] == [(False, True), (True, True), (False, False)]


def test_more_than_the_longest_sheet_follows_on_another(studio: Studio) -> None:
    # Given a page longer than 200 inches
    pages = printed(studio, "<p>START</p><div style='height:25000px'></div><p>END</p>", pdf={"singlePage": True})
    # When it is printed on one long sheet, then the rest is on a second one
    assert len(pages.sheets) == 2
    assert pages.sheets[0][1] <= 14_400
    assert pages.texts == ["START", "END"]


@pytest.mark.parametrize(
    ("page", "pdf", "height_mm"),
    [
        ("<div style='height:4000px'>text</div>", {}, 1058 + 20),
        ("<div style='height:4000px'>text</div>", {"marginMm": 0}, 1058),
        ("<div style='height:4000px'>text</div>", {"scale": 0.5}, 529 + 20),
        ("<div style='height:100px'>text</div>", {}, 26 + 20),
        # A window is 800 px high.
        ("<div style='height:100vh'></div><div style='min-height:50vh'>text</div>", {}, 318 + 20),
        (
            "<style>@page{size:A5;margin:3cm} div{break-after:page;height:1000px}</style><div>a</div><div>b</div>",
            {},
            549,
        ),
        ("<div style='height:90vh;overflow:auto'><div style='height:5000px'>text</div></div>", {}, 1323 + 20),
    ],
)
def test_a_page_can_be_printed_on_one_long_sheet(
    studio: Studio, page: str, pdf: dict[str, Any], height_mm: float
) -> None:
    # Given a page that is longer or shorter than a sheet
    result = studio.render(page, format="pdf", pdf={"singlePage": True, **pdf})
    # Then it has one sheet of its length, as wide as the paper
    sheets = Printed(result.data).sheets
    assert [width for width, _ in sheets] == [pytest.approx(595, abs=1)]
    assert sheets[0][1] / 72 * 25.4 == pytest.approx(height_mm, abs=3)
    assert result.height == pytest.approx(sheets[0][1] / 72 * 96, abs=2)


def test_the_width_of_one_long_sheet_is_that_of_the_paper(studio: Studio) -> None:
    # Given text that is wrapped at the width of its sheet
    page = f"<p>{'word ' * 2000}END</p>"
    heights = {}
    for paper in ("A5", "A3"):
        pages = printed(studio, page, pdf={"singlePage": True, "paper": paper})
        assert re.search("END$", pages.text)
        assert len(pages.sheets) == 1
        heights[paper] = pages.sheets[0][1]
    # Then a narrow sheet is longer
    assert heights["A5"] > 2 * heights["A3"]


def test_animations_are_stopped_in_a_pdf_as_well(studio: Studio) -> None:
    # Given an animation without an end, which soon shows other text than at its start
    page = (
        "<style>@keyframes k{0%{content:'START'}1%,100%{content:'LATER'}}p::before{content:'';animation:k 20s infinite}"
        "</style><p></p>"
    )
    # When it is printed after a while, then it is at its start only if animations are stopped
    texts = {each: printed(studio, page, animations=each, delayMs=600).text for each in ("finish", "stop")}
    assert ("LATER" in texts["finish"], "START" in texts["stop"]) == (True, True)
