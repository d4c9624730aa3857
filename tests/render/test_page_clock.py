"""The clocks that a page reads while its time is run as fast as the machine can."""

from __future__ import annotations

import pytest

from tests.support.pixels import GREEN

from .conftest import Studio


@pytest.mark.parametrize("clock", ["performance.now()", "Date.now()", "new Date().getTime()"])
@pytest.mark.parametrize("when", ["setTimeout(wait, 200)", "addEventListener('scroll', wait)"], ids=["timer", "scroll"])
def test_a_script_that_waits_for_a_clock_in_a_loop_comes_to_its_end(studio: Studio, clock: str, when: str) -> None:
    # Given a page that does nothing for a while but look at a clock
    page = (
        "<body style='margin:0;background:#ff0000;height:1500px'><script>const wait = () => {"
        f"const end = {clock} + 120; while ({clock} < end); document.body.style.background = '#00aa00' }}; {when}"
        "</script>"
    )
    # When it is captured, then its time has passed
    assert studio.pixels(page, fullPage=True).at(640, 400) == GREEN


def test_dates_are_what_they_are_in_a_browser(studio: Studio) -> None:
    # Given / When what scripts know about dates
    truths = [
        "new Date().constructor === Date",
        "new Date() instanceof Date",
        "Math.abs(new Date() - Date.now()) < 1000",
        "Object.prototype.toString.call(new Date()) === '[object Date]'",
        "new Date(0).toISOString() === '1970-01-01T00:00:00.000Z'",
        "typeof Date() === 'string'",
        "Date.UTC(1970, 0, 2) === 86400000",
        "new (class extends Date { next() { return this.getTime() + 1 } })(1).next() === 2",
        "/native code/.test(Date) && /native code/.test(Date.now) && /native code/.test(performance.now)",
        "structuredClone(new Date(5)).getTime() === 5",
    ]
    # Then all of it holds
    title = studio.evaluate(f"[{', '.join(truths)}].map(Number).join('')")
    assert title == "1" * len(truths)


def test_the_time_of_a_page_never_goes_back(studio: Studio) -> None:
    # Given a page that reads its clocks very often, and again after a while
    read = "[performance.now(), Date.now()]"
    script = (
        "<script>const seen = []; const read = () => { for (let i = 0; i < 60000; i++) seen.push(performance.now());"
        f"const last = {read}; setTimeout(() => {{ const now = {read};"
        "document.title = seen.every((each, i) => !i || each >= seen[i - 1])"
        " && now.every((each, i) => each >= last[i]) },"
        "50) }; setTimeout(read, 100)</script>"
    )
    # When it is captured, then every reading is at least the one before
    assert studio.render(script).facts.title == "true"
