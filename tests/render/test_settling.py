"""A settled page: everything that timers load is there, animations have ended, and no time is wasted."""

from __future__ import annotations

import time

import pytest

from stillframe_renderer.page.scripts import MAY_REACT
from stillframe_renderer.page.traffic import FIRST_BYTE_SECONDS
from tests.support.pixels import BLUE, GREEN, Pixels

from .conftest import Studio

TURN_GREEN = "document.body.style.background = '#00aa00'"
RED_PAGE = "<body style='background:#ff0000'>"

FINISHING = {
    "timer": f"<script>setTimeout(() => {{ {TURN_GREEN} }}, 450)</script>",
    "timer-after-load": f"<script>onload = () => setTimeout(() => {{ {TURN_GREEN} }}, 450)</script>",
    "chain": (
        "<script>onload = () => setTimeout(async () => { await fetch('/slow?ms=200'); "
        f"setTimeout(() => {{ {TURN_GREEN} }}, 400) }}, 300)</script>"
    ),
    "late-script": f"<script>onload = () => setTimeout(() => {{ const s = document.createElement('script');"
    f"s.src = '/script?ms=150&code=' + encodeURIComponent(\"{TURN_GREEN}\"); document.body.append(s) }}, 100)</script>",
    "idle-callback": f"<script>onload = () => requestIdleCallback(() => {{ {TURN_GREEN} }})</script>",
    # By the timestamps of frames, which are real time.
    "frames": (
        "<div id=d style='height:9px;opacity:0'></div><script>let start; const f = now => { start ??= now;"
        f"d.style.opacity = (now - start) / 400; if (now - start > 400) {TURN_GREEN}; else requestAnimationFrame(f) }};"
        "requestAnimationFrame(f)</script>"
    ),
    "microtasks": f"<script>(async () => {{ for (let i = 0; i < 1000; i++) await 0; {TURN_GREEN} }})()</script>",
    "worker": (
        "<script>const w = new Worker(URL.createObjectURL(new Blob(['setTimeout(() => postMessage(1), 250)'])));"
        f"w.onmessage = () => {{ {TURN_GREEN} }}</script>"
    ),
    "database": (
        "<script>const r = indexedDB.open('x', 1); r.onupgradeneeded = () => r.result.createObjectStore('s');"
        f"r.onsuccess = () => {{ {TURN_GREEN} }}</script>"
    ),
    "frame-says": f'<script>onmessage = () => {{ {TURN_GREEN} }}</script><iframe hidden srcdoc="<script>'
    "setTimeout(() => parent.postMessage(1, '*'), 300)</script>\"></iframe>",
}


@pytest.mark.parametrize("page", FINISHING.values(), ids=list(FINISHING))
def test_everything_that_the_page_was_going_to_do_is_done(studio: Studio, page: str) -> None:
    result = studio.render(RED_PAGE + page)
    assert Pixels(result.data).at(640, 790) == GREEN
    assert (result.facts.settled, result.facts.unsettled) == (True, None)


NEVER_FINISHING = {
    "polling": "<script>setInterval(() => fetch('/poll'), 100)</script>",
    "long-polling": "<script>const again = () => fetch('/hang').then(again); again()</script>",
    "counting": "<p id=p></p><script>let n = 0; setInterval(() => { p.textContent = n++ }, 50)</script>",
    "animating": "<script>const f = () => { document.title = Date.now(); requestAnimationFrame(f) }; f()</script>",
    "spinning": "<style>@keyframes s{to{transform:rotate(1turn)}}p{animation:s 1s infinite}</style><p>x</p>",
    "growing": "<script>setInterval(() => document.body.append(document.createElement('p')), 30)</script>",
    "event-source": "<script>new EventSource('/hang')</script>",
    "chain-of-timers": "<script>const f = () => setTimeout(f, 10); f()</script>",
    "beacons": "<script>setInterval(() => navigator.sendBeacon('/beacon', 'x'), 50)</script>",
}


@pytest.mark.parametrize("page", NEVER_FINISHING.values(), ids=list(NEVER_FINISHING))
def test_a_page_that_never_finishes_is_captured_all_the_same(studio: Studio, page: str) -> None:
    started = time.monotonic()
    assert studio.pixels(f"<body style='background:#00aa00'>{page}").at(640, 790) == GREEN
    assert time.monotonic() - started < (FIRST_BYTE_SECONDS + 4 if "/hang" in page else 6)


@pytest.mark.alone
def test_a_page_with_a_spinner_is_settled_soon(studio: Studio) -> None:
    # Given / When a page with an element that turns and one that moves forever
    page = (
        "<style>@keyframes s{to{transform:rotate(1turn)}}@keyframes m{to{margin-left:300px}}"
        "p,b{display:block;width:40px;height:70px}p{animation:s 1s infinite}b{animation:m 1s infinite}</style>"
        "<p></p><b></b>"
    )
    result = studio.render(page)
    # Then it is not taken for one that is about to change
    assert result.facts.timings is not None
    assert result.facts.timings["settledMs"] < 2500


def test_an_element_that_moves_in_has_arrived(studio: Studio) -> None:
    page = (
        "<style>@keyframes in{from{transform:translateX(-2000px);opacity:0}to{transform:none;opacity:1}}"
        "div{height:400px;background:#00aa00;animation:in 3s 1s both}</style><div></div>"
    )
    assert studio.pixels(page).at(640, 200) == GREEN


def test_an_image_in_view_is_loaded_and_decoded(studio: Studio) -> None:
    page = "<img src='/image?ms=300&colour=0000ff' style='width:100vw;height:100vh;display:block'>"
    assert studio.pixels(page).is_all(BLUE)


def test_an_image_that_a_timer_adds_is_loaded(studio: Studio) -> None:
    page = (
        '<body><script>setTimeout(() => { document.body.innerHTML = \'<img src="/image?ms=300&colour=0000ff" '
        'style="width:100vw;height:100vh;display:block">\' }, 300)</script>'
    )
    assert studio.pixels(page).is_all(BLUE)


CLIP = {"x": 0, "y": 3000, "width": 1280, "height": 400}
FAR = "<div style='height:3000px'></div><div id=late style='height:400px;background:#ff0000'></div>"


def test_lazy_images_of_a_full_page_are_loaded(studio: Studio) -> None:
    image = "<img loading=lazy src='/image?ms=100&colour=0000ff&n={}' style='width:100%;height:400px;display:block'>"
    page = "".join(f"<div style='height:1500px'></div>{image.format(n)}" for n in range(4))
    observed = (
        "<div style='height:2000px'></div><div id=late style='height:400px;background:#ff0000'></div><script>"
        "new IntersectionObserver(es => es.forEach(e => { if (e.isIntersecting) "
        "fetch('/slow?ms=100').then(() => { late.style.background = '#00aa00' }) })).observe(late)</script>"
    )
    pixels = studio.pixels(page + observed, fullPage=True)
    assert pixels.size == (1280, 4 * 1900 + 2400)
    assert [pixels.at(640, 1900 * n + 1700) for n in range(4)] == [BLUE] * 4
    assert pixels.at(640, -200) == GREEN


@pytest.mark.parametrize(
    "reacting",
    [
        f"<body onscroll=\"late.style.background = '#00aa00'\">{FAR}",
        f"{FAR}<img src=x onerror=\"window.addEventListener('scroll', () => {{ "
        "late.style.background = '#00aa00' })\">",
        f"{FAR}<iframe srcdoc=\"<script>parent.addEventListener('scroll', () => {{ "
        "parent.late.style.background = '#00aa00' })</script>\"></iframe>",
        f"<div><template shadowrootmode=open>{FAR}</template></div>".replace(
            "<div id=late style='height:400px;background:#ff0000'></div>",
            "<img loading=lazy src='/image?colour=00aa00' style='width:100%;height:400px;display:block'>",
        ),
    ],
    ids=["handler", "script-in-a-handler", "frame", "shadow-root"],
)
def test_content_that_reacts_to_scrolling_is_found_without_a_script_element(studio: Studio, reacting: str) -> None:
    # Given / When a full page is captured in which nothing else could react to scrolling
    pixels = studio.pixels(reacting, fullPage=True, waitUntil="load")
    # Then it has reacted
    assert pixels.size[1] >= 3400
    assert pixels.at(640, 3200) == GREEN


@pytest.mark.parametrize("options", [{"fullPage": True}, {"selector": "#late"}, {"clip": CLIP}])
@pytest.mark.parametrize("script", ["", "<script>0</script>"])
def test_content_laid_out_only_near_the_viewport_is_captured(
    studio: Studio, script: str, options: dict[str, object]
) -> None:
    # Given a part far down that is taller than its placeholder, and a part that is hidden on purpose
    page = (
        "<div style='height:3000px'></div><div style='content-visibility:auto;contain-intrinsic-size:auto 10px'>"
        "<div id=late style='height:400px;background:#00aa00'></div></div>"
        "<div style='content-visibility:hidden'><div style='height:500px;background:#ff0000'></div></div>"
    )
    # When the page is captured
    pixels = studio.pixels(page + script, waitUntil="load", **options)
    # Then the first part is there with its full height, and the hidden part is not
    assert pixels.at(640, -1) == pixels.at(640, -399) == GREEN
    assert pixels.size == (1280, 3400 if "fullPage" in options else 400)


def test_a_page_that_cannot_react_is_not_scrolled(studio: Studio) -> None:
    # Given / When the check of full pages for scripts that may react runs in a page of plain HTML
    page = "<div style='height:9000px'><img src='/image'><form><input></form></div>"
    pixels = studio.pixels(page, js=f"document.body.style.background = {MAY_REACT} ? '#ff0000' : '#00aa00'")
    # Then there is no reason to scroll the page
    assert pixels.at(1200, 700) == GREEN


def test_a_simple_page_settles_at_once(studio: Studio) -> None:
    results = [studio.render(f"<body style='background:#00aa00'><p>{n}</p>") for n in range(5)]
    # networkidle would take at least half a second.
    assert sorted(result.render_ms for result in results)[2] < 450


def test_a_page_that_never_loads_is_captured_as_unsettled_or_refused(studio: Studio) -> None:
    page = f"{RED_PAGE}<img src='/hang'>"
    result = studio.render(page, timeoutMs=1000)
    assert (result.facts.settled, result.facts.unsettled) == (False, "load")
    error = studio.render_error(page, timeoutMs=1000, strict=True)
    assert (error.code, "load" in error.message) == ("READY_TIMEOUT", True)


def test_an_unsettled_page_is_captured_within_the_jobs_deadline(studio: Studio) -> None:
    started = time.monotonic()
    result = studio.render(f"{RED_PAGE}<img src='/hang'>", seconds=4)
    assert result.facts.unsettled == "load"
    assert time.monotonic() - started < 4.5


def test_a_page_that_navigates_is_followed(studio: Studio) -> None:
    result = studio.visit("/page?body=<script>setTimeout(() => { location = '/next?body=<p>there' }, 300)</script>")
    assert result.facts.title == "/next"
