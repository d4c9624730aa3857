"""Which element a selector means, and how it gets into the screenshot."""

from __future__ import annotations

import pytest

from tests.support.pixels import GREEN, Pixels

from .conftest import Studio

X = "width:300px;height:120px;background:#00aa00"
SPACE = "<div style='height:4000px'></div>"
SHADOW = "<script>host.attachShadow({{mode: 'open'}}).innerHTML = `{}`</script>"
FOUND = {
    "behind-one-without-a-box": f"<p class=x style='display:none'>a</p><p class=x></p><div class=x style='{X}'></div>",
    "behind-an-invisible-one": f"<p class=x style='visibility:hidden'>a</p><div class=x style='{X}'></div>",
    "in-a-shadow-root": "<div id=host></div>" + SHADOW.format(f'<div class="x" style="{X}"></div>'),
    "in-a-shadow-root-of-another": "<div id=host></div>"
    + SHADOW.format("<p></p>").replace("</script>", "")
    + ";const inner = host.shadowRoot.firstChild.attachShadow({mode: 'open'});"
    f"inner.innerHTML = `<p class=x style='{X}'></p>`"
    "</script>",
    "in-a-frame": (
        f"<iframe srcdoc=\"<body style='margin:0'><div class=x style='{X}'></div>\" style='border:9px solid'></iframe>"
    ),
    "with-the-boxes-of-its-children": f"<section class=x style='display:contents'><div style='{X}'></div></section>",
    "far-below": f"{SPACE}<div class=x style='{X}'></div>",
    "far-to-the-right": f"<div style='width:5000px'><div class=x style='{X};margin-left:4000px'></div></div>",
    "in-a-scroller": f"<div style='height:200px;overflow:auto'>{SPACE}<div class=x style='{X}'></div>{SPACE}</div>",
    "in-a-scroller-of-a-scroller": (
        "<div style='height:300px;overflow:auto'><div style='height:900px'></div>"
        "<div style='height:250px;overflow:auto'>"
        f"{SPACE}<div class=x style='{X}'></div>{SPACE}</div><div style='height:900px'></div></div>"
    ),
    "loaded-when-near": (
        f"{SPACE}<img class=x loading=lazy src='/image?colour=00aa00' style='display:block;width:300px;height:120px'>"
    ),
    "revealed-when-seen": (
        f"{SPACE}<div class=x id=e style='{X};background:#ff0000'></div><script>"
        "new IntersectionObserver(es => es"
        ".forEach(e => { if (e.isIntersecting) e.target.style.background = '#00aa00' }), {threshold: 1}).observe(e)"
        "</script>"
    ),
    "laid-out-when-near": f"{SPACE}<div style='content-visibility:auto'><div class=x style='{X}'></div></div>",
}


@pytest.mark.parametrize("page", FOUND.values(), ids=list(FOUND))
def test_the_screenshot_is_the_element_that_can_be_seen(studio: Studio, page: str) -> None:
    # Given / When an element by its selector
    pixels = studio.pixels(page, selector=".x")
    # Then the screenshot is the element in its own size, and nothing else
    assert pixels.size == (300, 120)
    assert pixels.is_all(GREEN)


HIDDEN = {
    "not-there": ("<p>a</p>", "no visible element"),
    "invisible": ("<p class=x style='visibility:hidden'>a</p>", "no visible element"),
    "without-a-box": ("<p class=x></p>", "no visible element"),
    "scrolled-out-for-good": (
        "<div style='width:100px;height:100px;overflow:hidden;position:relative'>"
        "<p class=x style='position:absolute;left:-500px;width:9px'>a</p></div>",
        "no visible element",
    ),
    "left-of-the-page": (f"<div class=x style='position:absolute;left:-9999px;{X}'></div>", "to the left of the page"),
    "above-the-page": (f"<div class=x style='position:absolute;top:-500px;{X}'></div>", "above the page"),
    "moved-out": (f"<div class=x style='transform:translateY(-900px);{X}'></div>", "above the page"),
}


@pytest.mark.parametrize(("page", "reason"), HIDDEN.values(), ids=list(HIDDEN))
def test_an_element_that_cannot_be_seen_is_not_found(studio: Studio, page: str, reason: str) -> None:
    error = studio.render_error(page, selector=".x")
    assert (error.code, reason in error.message) == ("SELECTOR_NOT_FOUND", True), error.message


@pytest.mark.parametrize("scale", [1, 2, 1.5])
@pytest.mark.parametrize(
    "place", ["margin:10.4px 0 0 7.6px;width:50.5px", "margin:9px;width:50px;transform:translate(.3px,.6px)"]
)
def test_an_element_between_pixels_keeps_its_border(studio: Studio, place: str, scale: float) -> None:
    # Given an element with a black border whose box is not on whole pixels
    page = f"<body style='background:#fff'><div class=x style='height:20.5px;border:2px solid #000;{place}'></div>"
    # When it is captured
    pixels = Pixels(studio.render(page, selector=".x", deviceScaleFactor=scale).data)
    # Then the border is on all four sides
    width, height = pixels.size
    edges = [[pixels.at(x, height // 2) for x in (0, 1, 2)], [pixels.at(width - 1 - x, height // 2) for x in (0, 1, 2)]]
    edges += [[pixels.at(width // 2, y) for y in (0, 1, 2)], [pixels.at(width // 2, height - 1 - y) for y in (0, 1, 2)]]
    for edge in edges:
        assert min(sum(colour) for colour in edge) < 60, edges


@pytest.mark.parametrize("option", ["click", "scrollTo", "waitForSelector"])
def test_every_option_means_the_same_element(studio: Studio, option: str) -> None:
    # Given an element in a shadow root, behind one that cannot be seen
    page = (
        "<p class=x style='display:none'>a</p><div id=host></div><div style='height:3000px'></div><script>"
        "const root = host.attachShadow({mode: 'open'});"
        f"root.innerHTML = `<button class=x style='{X};border:0;margin-top:900px'></button>`;"
        "root.firstChild.onclick = () => { document.title = 'clicked' }</script>"
    )
    # When it is clicked, scrolled to or waited for
    result = studio.render(page, **{option: [".x"] if option == "click" else ".x"})
    # Then that element is found
    if option == "click":
        assert result.facts.title == "clicked"
    if option == "scrollTo":
        assert Pixels(result.data).at(150, 60) == GREEN


def test_a_part_outside_the_page_is_refused(studio: Studio) -> None:
    error = studio.render_error("<p>small</p>", clip={"x": 0, "y": 5000, "width": 100, "height": 100})
    assert (error.code, "clip" in error.message, "1280 x 800" in error.message) == ("INVALID_REQUEST", True, True)
