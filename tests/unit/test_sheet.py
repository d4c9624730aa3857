"""Reading the size of a sheet: from a PDF, and from the value of `size`."""

from __future__ import annotations

import pytest

from stillframe_renderer.page.sheet import PrintedSheets, UnreadablePdf, parse_size, read_sheets, true_size


def pdf_with(*bodies: bytes, root: int = 1) -> bytes:
    """A PDF of these objects, numbered from 1, with its cross-reference table."""
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    table += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return data + table + b"trailer\n<</Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (root, len(data))


CATALOG = b"<</Type /Catalog /Pages 2 0 R>>"
PAGE = b"<</Type /Page /MediaBox [0 0 594.95996 420]>>"


def test_the_first_sheet_is_found_in_a_tree_of_pages() -> None:
    # Given a tree in which the first page is not the first object, and a stream that looks like a page
    data = pdf_with(
        CATALOG,
        b"<</Type /Pages /Kids [5 0 R 3 0 R] /Count 3>>",
        b"<</Type /Page /MediaBox [0 0 100 100]>>",
        b"<</Length 50>>\nstream\n<</Type /Page /MediaBox [0 0 7 7]>>\nendstream",
        b"<</Type /Pages /Kids [6 0 R] /Count 2>>",
        PAGE,
    )
    # When it is read, then its first sheet is in CSS pixels
    sheets = read_sheets(data)
    assert sheets.width == pytest.approx(793.28, abs=0.01)
    assert (sheets.height, sheets.count) == (560, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.4\n",
        b"%PDF-1.4\nstartxref\n9999\n%%EOF\n",
        pdf_with(CATALOG, b"<</Type /Pages /Kids [3 0 R] /Count 1>>", b"<</Type /Page>>"),
        pdf_with(CATALOG, b"<</Type /Pages /Kids [9 0 R] /Count 1>>"),
        pdf_with(CATALOG, b"<</Type /Pages /Kids [2 0 R] /Count 1>>"),
        pdf_with(b"<</Type /Catalog>>"),
        pdf_with(CATALOG, b"<</Kids [3 0 R]>>", PAGE),
        pdf_with(CATALOG, b"<</Kids [3 0 R] /Count 1>>", PAGE)[:-40],
    ],
)
def test_anything_else_is_no_pdf(data: bytes) -> None:
    with pytest.raises(UnreadablePdf):
        read_sheets(data)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("a5 landscape", (559.37, 793.7)),
        ("Letter", (816, 1056)),
        ("100mm 50mm", (188.98, 377.95)),
        ("4in", (384, 384)),
        ("300pt 10pc", (160, 400)),
        ("400Q 10cm", (377.95, 377.95)),
        ("landscape", None),
        ("auto", None),
        ("calc(1in + 1in)", None),
        ("1.2.3mm", None),
        ("", None),
    ],
)
def test_a_size_is_read_as_css_writes_it(text: str, size: tuple[float, float] | None) -> None:
    assert parse_size(text) == (None if size is None else pytest.approx(size, abs=0.01))


@pytest.mark.parametrize(
    ("printed", "named", "size"),
    [
        # Chromium rounds to points; the name tells the rest, in either orientation.
        ((793.28, 560), [(559.37, 793.7)], (794, 559)),
        ((793.28, 560), [(100, 200), (559.37, 793.7)], (794, 559)),
        ((793.28, 560), [(557.9, 793.7)], (793, 560)),
        ((793.28, 560), [], (793, 560)),
    ],
)
def test_a_name_is_believed_only_if_the_sheet_has_its_size(
    printed: tuple[float, float], named: list[tuple[float, float]], size: tuple[int, int]
) -> None:
    assert true_size(PrintedSheets(*printed, count=1), named) == size
