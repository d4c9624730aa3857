"""What a visitor reaches by scrolling is in a PDF, whatever it is that scrolls."""

from __future__ import annotations

import pytest

from .conftest import Studio
from .test_pdf import LINES, printed

SCROLLERS = {
    "an element as tall as the window": (
        "<style>html,body{height:100%;overflow:hidden} main{height:100vh;overflow:auto}</style><main>LINES</main>"
    ),
    "the body inside a clipped root": (
        "<style>html{overflow:hidden;height:100%} body{overflow:auto;height:100%}</style>LINES"
    ),
    "the body that only hides its sides": "<style>html,body{height:100%;overflow-x:hidden}</style>LINES",
    "a column": (
        "<style>body{display:flex;flex-direction:column;height:100vh;overflow:hidden}"
        "main{flex:1;min-height:0;overflow-y:auto}</style><header>head</header><main>LINES</main>"
    ),
    "a column in a row": (
        "<style>.shell{display:flex;height:100vh} .side{width:90px} .page{flex:1;display:flex;flex-direction:column;"
        "min-height:0} .list{flex:1 1 0;overflow-y:scroll;min-height:0}</style>"
        "<div class=shell><div class=side>side</div><div class=page><div class=list>LINES</div></div></div>"
    ),
    "a grid": (
        "<style>.shell{display:grid;grid-template-rows:50px calc(100vh - 50px);height:100vh;overflow:hidden}"
        "main{overflow:auto}</style><div class=shell><header>head</header><main>LINES</main></div>"
    ),
    "an absolute shell": (
        "<style>html,body{height:100%;overflow:hidden} main{position:absolute;inset:40px 0 0 100px;overflow:auto}"
        "</style><nav>head</nav><main>LINES</main>"
    ),
    "a fixed shell": (
        "<style>.shell{position:fixed;inset:0;display:flex;flex-direction:column} .list{flex:1;overflow:auto}</style>"
        "<div class=shell><header>head</header><div class=list>LINES</div></div>"
    ),
    "a part of a page": "<p>before</p><div style='max-height:200px;overflow:auto'>LINES</div><p>after</p>",
    "one in another": (
        "<div style='height:300px;overflow:auto'><div style='height:500px;overflow:auto'>LINES</div></div>"
    ),
    "an open shadow root": (
        "<x-app><template shadowrootmode=open><style>:host{display:block;height:100vh;overflow:hidden}"
        "main{height:100%;overflow:auto}</style><main><slot></slot></main></template>LINES</x-app>"
    ),
    "a frame of the page's origin": (
        "<style>html,body,iframe{height:100%;margin:0;border:0;overflow:hidden}</style>"
        "<iframe width=100% srcdoc='LINES'></iframe>"
    ),
    "an element in a frame": (
        "<iframe width=400 height=300 srcdoc='<main style=height:200px;overflow:auto>LINES</main>'></iframe>"
    ),
    "the body as a fixed shell": "<style>body{position:fixed;inset:0;overflow:auto}</style>LINES",
    "contained": "<main style='contain:strict;height:100vh;overflow:auto'>LINES</main>",
}


@pytest.mark.parametrize("page", SCROLLERS.values(), ids=SCROLLERS)
def test_what_scrolls_in_an_element_is_printed_whole(studio: Studio, page: str) -> None:
    # Given a page whose content scrolls in an element of its own
    html = page.replace("LINES", LINES).removeprefix("<!doctype html>")
    # When it is printed
    pages = printed(studio, html)
    # Then every line is there, once, on sheets that follow one another
    assert [number for number in range(1, 121) if f"line {number}" not in pages.text] == []
    assert pages.text.count("line 77") == 1
    assert len(pages.sheets) >= 4
    assert all("line" in text for text in pages.texts)


def test_text_that_fits_the_window_and_not_the_sheet_is_printed_whole(studio: Studio) -> None:
    # Given a text that fills most of a wide window, and takes more lines on a sheet
    page = (
        "<style>html,body{height:100%;overflow:hidden} main{height:100vh;overflow:auto;font-size:20px}</style>"
        f"<main>{'<p>' + 'A sentence of several words. ' * 160} END</main>"
    )
    # When it is printed, then it ends on a second sheet
    pages = printed(studio, page)
    assert len(pages.sheets) == 2
    assert pages.text.rstrip().endswith("END")


WIDE = {
    "lines of code": f"<pre style='overflow-x:auto'>{'code ' * 300}END</pre>",
    "a table": (
        "<div style='overflow-x:auto'><table><tr>"
        + "".join(f"<td><div style='width:100px'>cell {number}</div>" for number in range(25))
        + "<td>END</table></div>"
    ),
    "cards": (
        "<div style='display:flex;overflow-x:auto'>"
        + "".join(f"<div style='flex:0 0 300px;height:100px'>card {number}</div>" for number in range(12))
        + "<div>END</div></div>"
    ),
}


@pytest.mark.parametrize("page", WIDE.values(), ids=WIDE)
def test_what_scrolls_sideways_is_printed_to_its_end(studio: Studio, page: str) -> None:
    # Given a page with something wider than a sheet in a scroller
    # When it is printed, then its end is there
    assert printed(studio, page).text.rstrip().endswith("END")


def test_content_that_appears_when_it_is_scrolled_to_is_printed(studio: Studio) -> None:
    # Given elements far down, in the page and in a scroller, that are shown when they come into view
    page = (
        "<style>b { visibility: hidden } b.seen { visibility: visible }</style><div style='height:3000px'></div>"
        "<b>REVEALED</b><div id=box style='height:200px;overflow:auto'><div style='height:2000px'></div><b>INNER</b>"
        "</div><script>const watch = root => new IntersectionObserver(entries => entries.forEach(entry => {"
        "if (entry.isIntersecting) entry.target.className = 'seen' }), { root });"
        "watch(null).observe(document.querySelector('b')); watch(box).observe(box.querySelector('b'))</script>"
    )
    # When the page is printed, then they are there
    text = printed(studio, page).text
    assert "REVEALED" in text
    assert "INNER" in text


def test_content_that_is_shown_only_while_it_is_in_view_is_printed(studio: Studio) -> None:
    # Given a page whose sections fade in when they come into view, and out again when they leave it
    sections = "".join(f"<section><b>SECTION {number}</b></section>" for number in range(6))
    page = (
        "<style>section { height: 90vh } b { opacity: 0; transition: opacity .4s } b.seen { opacity: 1 }"
        "b:not(.seen) { visibility: hidden }</style>" + sections + "<script>"
        "const watch = new IntersectionObserver(entries => entries.forEach(entry => {"
        "entry.target.className = entry.isIntersecting ? 'seen' : '' }));"
        "document.querySelectorAll('b').forEach(each => watch.observe(each))</script>"
    )
    # When it is printed, then all of them are there
    text = printed(studio, page).text
    assert [number for number in range(6) if f"SECTION {number}" not in text] == []


def test_a_list_that_has_only_the_rows_in_view_is_printed_whole(studio: Studio) -> None:
    # Given a list that makes its rows when it is scrolled or resized, and removes the others
    page = (
        "<div id=list style='position:relative;height:9000px'></div><script>const fill = () => {"
        "list.textContent = ''; for (let row = 0; row < 300; row++) { const top = row * 30;"
        "if (top + 30 < scrollY || top > scrollY + innerHeight) continue; const each = document.createElement('p');"
        "each.style = `position:absolute;margin:0;height:30px;top:${top}px`; each.textContent = `row ${row};`;"
        "list.append(each) } }; fill(); addEventListener('scroll', fill); addEventListener('resize', fill)</script>"
    )
    # When it is printed, then all rows are there
    text = printed(studio, page).text
    assert [row for row in range(300) if f"row {row};" not in text] == []


def test_a_lazy_image_in_a_scroller_is_printed(studio: Studio) -> None:
    # Given an image that a script loads once it is near the window
    page = (
        "<div style='height:300px;overflow:auto'><div style='height:9000px'></div><img id=late width=50 height=50>"
        "</div><script>new IntersectionObserver(([entry], watch) => { if (entry.isIntersecting) {"
        "late.src = '/image'; watch.disconnect() } }).observe(late)</script>"
    )
    # When the page is printed, then the image has been loaded
    printed(studio, page)
    assert "/image" in studio.requested
