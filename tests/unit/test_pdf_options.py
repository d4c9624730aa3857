"""The options of a PDF: papers, lengths, page ranges and templates; and the id of a request with them."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.errors import InvalidRequest
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import RenderOptions
from stillframe.request.options.pdf import Paper

MAX_MESSAGE_CHARS = 200
INLINE = "data:image/png;base64,iVBORw0KGgo="


def pdf_of(**pdf: Any) -> Any:
    return RenderOptions.parse({"format": "pdf", "pdf": pdf}).pdf


def id_of(**options: Any) -> str:
    return CaptureRequest(url="https://example.com/", options=options).id


@pytest.mark.parametrize(
    ("paper", "size"),
    [
        ({"width": 100, "height": 200.5}, (100, 200.5)),
        ({"width": "100mm", "height": "20cm"}, (100, 200)),
        ({"width": "8.5in", "height": "96px"}, (215.9, 25.4)),
        # The narrowest and the longest sheet.
        ({"width": 25, "height": "5080mm"}, (25, 5080)),
        ("A0", (841, 1189)),
        ("A6", (105, 148)),
    ],
)
def test_a_paper_has_a_name_or_two_lengths(paper: Any, size: tuple[float, float]) -> None:
    assert pdf_of(paper=paper).sheet_mm == pytest.approx(size)


def test_each_paper_of_the_a_series_is_half_of_the_one_before() -> None:
    for larger, smaller in zip("012345", "123456", strict=True):
        (_, height), (width, long) = Paper(f"A{larger}").millimetres, Paper(f"A{smaller}").millimetres
        assert Paper(f"A{larger}").millimetres[0] == pytest.approx(long, abs=0.5)
        assert height / 2 == pytest.approx(width, abs=1)


@pytest.mark.parametrize("paper", ["A4", {"width": 210, "height": 100}])
def test_a_landscape_sheet_is_wider_than_high(paper: Any) -> None:
    width, height = pdf_of(paper=paper, landscape=True).sheet_mm
    assert width > height


@pytest.mark.parametrize(
    ("pdf", "margins"),
    [
        ({}, (10, 10, 10, 10)),
        ({"marginMm": 0}, (0, 0, 0, 0)),
        ({"marginMm": 5, "margins": {"top": "1in", "left": 100}}, (25.4, 5, 5, 100)),
        ({"margins": {"bottom": 0}}, (10, 10, 0, 10)),
    ],
)
def test_a_side_without_a_margin_of_its_own_follows_the_others(pdf: Any, margins: tuple[float, ...]) -> None:
    assert pdf_of(**pdf).margins_mm == pytest.approx(margins)


@pytest.mark.parametrize("ranges", ["1", "1-3, 5,8-", "7-7", "999999"])
def test_page_ranges_are_accepted_as_people_write_them(ranges: str) -> None:
    assert pdf_of(pageRanges=ranges).page_ranges == ranges.replace(" ", "")


@pytest.mark.parametrize(
    "template",
    [
        "text",
        "Page <span class=pageNumber></span> of <span class='totalPages'></span> <b style='color:red'>draft</b>",
        f"<img src='{INLINE}' width=20 alt=logo>",
        "<style>.title { font-weight: bold }</style><table width='100%'><tr><td class=title></td></tr></table>",
        r"C:\reports",
    ],
)
def test_a_template_may_have_text_styles_and_inline_images(template: str) -> None:
    assert pdf_of(header=template).header == template


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<script>run()</script>", "<script>"),
        ("<p onclick='run()'>text</p>", "onclick"),
        ("<img src='http://site.test/a.png'>", "data:image"),
        ("<img src='//site.test/a.png'>", "data:image"),
        ("<img src='file:///etc/hostname'>", "data:image"),
        ("<img src='data:text/html,text'>", "data:image"),
        ("<img src>", "data:image"),
        ("<img srcset='http://site.test/a.png 2x'>", "srcset"),
        ("<link rel=stylesheet href='http://site.test/'>", "<link>"),
        ("<iframe src='http://site.test/'></iframe>", "<iframe>"),
        ("<svg><image href='http://site.test/'/></svg>", "<svg>"),
        ("<base href='http://site.test/'>", "<base>"),
        ("<meta http-equiv=refresh content='0;url=http://site.test/'>", "<meta>"),
        ("<p style='background:url(http://site.test/)'>", "url()"),
        ("<p style='background:URL (http://site.test/)'>", "url()"),
        (r"<p style='background:u\72l(http://site.test/)'>", "backslash"),
        ("<style>@import 'http://site.test/';</style>", "@import"),
        ("<style>@font-face { font-family: F; src: local(x) }</style>", "@font-face"),
        # Browsers begin a style sheet here, Python's parser does not.
        ("<style/>@import 'http://site.test/';</style>", "@import"),
        ("<!--><style>@import 'http://site.test/';</style>-->", "comments"),
        ("<![CDATA[ text ]]>", "comments"),
        ("", "1 to 20,000 characters"),
        ("x" * 20_001, "1 to 20,000 characters"),
        (7, "1 to 20,000 characters"),
    ],
)
@pytest.mark.parametrize("name", ["header", "footer"])
def test_a_template_that_could_load_or_run_something_is_refused(name: str, template: Any, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        pdf_of(**{name: template})
    assert refused.value.message.startswith(f"options: pdf.{name}: must ")
    assert words in refused.value.message
    assert len(refused.value.message) <= MAX_MESSAGE_CHARS


@pytest.mark.parametrize(
    ("pdf", "words"),
    [
        ({"paper": "A7"}, ["pdf.paper", "A0 to A6", "Letter", "width, height", "25 to 5080"]),
        ({"paper": 4}, ["pdf.paper", "A0 to A6"]),
        ({"paper": {"width": 100}}, ["pdf.paper", "width, height"]),
        ({"paper": {"width": 24.9, "height": 100}}, ["pdf.paper", "25 to 5080"]),
        ({"paper": {"width": 100, "height": 5081}}, ["pdf.paper", "25 to 5080"]),
        ({"paper": {"width": "10em", "height": 100}}, ["pdf.paper", "mm, cm, in or px"]),
        ({"paper": {"width": True, "height": 100}}, ["pdf.paper"]),
        ({"paper": {"width": 100, "height": 100, "depth": 1}}, ["pdf.paper"]),
        ({"marginMm": 101}, ["pdf.marginMm", "range 0 to 100)"]),
        ({"margins": {"top": -1}}, ["pdf.margins.top", "0 to 100 mm"]),
        ({"margins": {"left": "101mm"}}, ["pdf.margins.left", "0 to 100 mm"]),
        ({"margins": {"left": "wide"}}, ["pdf.margins.left", "mm, cm, in or px"]),
        ({"margins": {"middle": 1}}, ["pdf.margins.middle", "top, right, bottom, left"]),
        ({"margins": {"left": 100}, "paper": {"width": 100, "height": 100}}, ["margins and paper conflict"]),
        ({"marginMm": 100, "paper": "A6"}, ["marginMm and paper conflict"]),
        ({"scale": 2.1}, ["pdf.scale", "range 0.1 to 2"]),
        ({"pageRanges": "0"}, ["pdf.pageRanges", "counted from 1"]),
        ({"pageRanges": "3-2"}, ["pdf.pageRanges"]),
        ({"pageRanges": "-3"}, ["pdf.pageRanges"]),
        ({"pageRanges": "1;2"}, ["pdf.pageRanges"]),
        ({"pageRanges": 3}, ["pdf.pageRanges", "1-3, 5, 8-"]),
        ({"pageRanges": "1," * 101}, ["pdf.pageRanges", "200 characters"]),
        ({"outline": True, "tagged": False}, ["outline and tagged conflict"]),
        ({"singlePage": 1}, ["pdf.singlePage"]),
        ({"size": "A4"}, ["pdf.size is not an option", "docs/options.md"]),
    ],
)
def test_a_wrong_option_of_a_pdf_is_refused_with_its_name_and_what_it_may_be(pdf: Any, words: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        pdf_of(**pdf)
    assert [word for word in words if word not in refused.value.message] == []
    assert len(refused.value.message) <= MAX_MESSAGE_CHARS


@pytest.mark.parametrize(
    ("name", "options"),
    [("fullPage", {"fullPage": True}), ("selector", {"selector": "p"}), ("clip", {"clip": {"width": 9, "height": 9}})],
)
def test_an_option_that_no_pdf_can_have_is_named_as_it_was_sent(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=f"{name} and format conflict: a pdf always contains the whole page"):
        RenderOptions.parse({"format": "pdf", **options})


def test_the_medium_is_part_of_the_request_only_if_it_is_not_the_default() -> None:
    # Given that the default of an image is the screen, and that of a PDF is print
    # Then naming the default makes no other request, and naming the other medium does
    assert id_of(media="screen") == id_of()
    assert id_of(media="print") != id_of()
    assert id_of(format="pdf", media="print") == id_of(format="pdf")
    assert id_of(format="pdf", media="screen") != id_of(format="pdf")


def test_the_id_of_a_request_without_a_pdf_is_what_it_was() -> None:
    assert id_of() == "7f8456706b3bb2e29262e6aa189b73943c9023105e61531fcbab7089c88a7972"
    assert id_of(media="print", fullPage=True) == "bd5ea2d525c8f3547aeb2fcd5381b88261932ae96c8c1f7fe8b711b4c94fc4d4"
    # A PDF with the styles of print, which used to be named.
    assert id_of(format="pdf", media="print") == "718d3471384f2b68e53ac597daf8d11da3efa5167002bb8168a72fe2dc5d2e86"


def test_naming_the_default_paper_makes_another_request() -> None:
    # Given a page that may name its own sheet, then A4 is no default
    assert id_of(format="pdf", pdf={"paper": "A4"}) != id_of(format="pdf")
    assert id_of(format="pdf", pdf={"marginMm": 10}) != id_of(format="pdf")
    assert id_of(format="pdf", pdf={}) == id_of(format="pdf")


def test_equal_lengths_in_other_units_make_the_same_request() -> None:
    one, other = ({"width": "8.5in", "height": "10cm"}, {"width": 215.9, "height": "100mm"})
    assert id_of(format="pdf", pdf={"paper": one}) == id_of(format="pdf", pdf={"paper": other})
