"""What makes captures of an unchanged page the same."""

from __future__ import annotations

import pytest

from stillframe.errors import InvalidRequest
from stillframe.request.options import RenderOptions

from .conftest import Studio

ENDLESS = (
    "<style>@keyframes t{to{margin-left:900px}}div{width:90px;height:90px;background:#0000ff;"
    "animation:t 1.1s linear infinite}</style><div></div>"
)
FADING = (
    "<style>@keyframes f{from{margin-left:900px}}p{width:90px;height:90px;background:#00aa00;animation:f 4s both}"
    "</style><p></p>"
)


@pytest.mark.parametrize(("animations", "endless", "fading"), [("allow", 4, 4), ("finish", 4, 1), ("stop", 1, 1)])
def test_animations_are_allowed_finished_or_stopped(studio: Studio, animations: str, endless: int, fading: int) -> None:
    # Given pages with an animation that has an end and one that has none
    for page, different in ((ENDLESS, endless), (FADING, fading)):
        # When each is captured four times, a little later each time
        options = {"animations": animations, "waitUntil": "load" if animations == "allow" else "settled"}
        images = {studio.render(page, delayMs=170 * number, **options).data for number in range(4)}
        # Then the images are all different, or all the same
        assert (len(images) == 1) == (different == 1)


@pytest.mark.parametrize(
    ("options", "animations"),
    [
        ({}, "finish"),
        ({"compareTo": "previous"}, "stop"),
        ({"reducedMotion": True}, "stop"),
        ({"reducedMotion": True, "animations": "allow"}, "allow"),
        ({"preset": "repeatable"}, "stop"),
    ],
)
def test_what_is_compared_stands_still(options: dict[str, object], animations: str) -> None:
    assert RenderOptions.parse(options).effective_animations == animations


def test_the_clock_stands_still(studio: Studio) -> None:
    expression = (
        "[new Date().toISOString(), Date.now(), typeof Date(), new Date(5).getTime(), Date.UTC(1970, 0),"
        "new Date() instanceof Date, new Date().constructor === Date, Date.name].join()"
    )
    assert studio.evaluate(expression, clock="2026-01-31T13:00:00+01:00") == (
        "2026-01-31T12:00:00.000Z,1769860800000,string,5,0,true,true,Date"
    )
    # In frames too, and timers run on
    page = (
        "<iframe srcdoc='<script>parent.inner = Date.now()</script>'></iframe><script>onload = () => setTimeout(() => {"
        "document.title = inner + ' ' + (performance.now() > 300) }, 300)</script>"
    )
    assert studio.render(page, clock="2026-01-31T12:00:00Z").facts.title == "1769860800000 true"


def test_random_numbers_follow_from_the_seed(studio: Studio) -> None:
    expression = "[1, 2, 3].map(() => Math.random()).join()"
    same = {studio.evaluate(expression, randomSeed=7) for _ in range(2)}
    other = studio.evaluate(expression, randomSeed=8)
    assert len(same) == 1
    assert other not in same
    assert all(0 <= float(each) < 1 for each in (other or "").split(","))


@pytest.mark.parametrize("clock", ["yesterday", "2026-01-31", "2026-01-31T12:00:00", "2026-02-31T12:00:00Z", 5])
def test_a_time_that_is_none_is_refused(clock: object) -> None:
    with pytest.raises(InvalidRequest, match=r"clock: .*a time like 2026-01-31T12:00:00Z"):
        RenderOptions.parse({"clock": clock})
