"""A page that is captured again and again, with a real browser: what its records say of what happened to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record
from stillframe_cli.site_server import serve_directory
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.message.wiring import wire_capture
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, fake_meter, message
from tests.support.rendering import local_engine

BANNER = "<div style='height:60px;background:#fc0'>Closed on Monday</div>"
PAGE = """<!doctype html><meta charset=utf-8><title>Shop</title>
<style>body {{ margin: 0; font: 16px sans-serif }} main {{ padding: 20px }}</style>
{banner}<main><p id=clock>{clock}</p>
<table><tr><td>Assam</td><td class=price>{price}</td></tr><tr><td>Darjeeling</td><td class=price>24.50</td></tr></table>
<p>Sent on the same day, from the harvest to the cup.</p></main>"""


class Watch:
    """Captures the page, each time with what it shows then."""

    def __init__(self, cloud: Cloud, engine: RenderEngine, folder: Path, host: str) -> None:
        self.cloud, self.folder, self.url = cloud, folder, f"http://{host}/shop.html"
        self.clock = FakeClock()
        self.worker = wire_capture(cloud.settings, cloud.clients, engine, self.clock, fake_meter(self.clock))
        self.count = 0

    def capture(self, price: str = "19.90", banner: str = "", **options: Any) -> Record:
        self.count += 1
        name = f"shop-{self.count}"
        shown = PAGE.format(price=price, banner=banner, clock=f"It is {self.count} past {self.count * 7 % 12}")
        (self.folder / "shop.html").write_text(shown)
        self.clock.advance(1)
        request = CaptureRequest(url=self.url, request_id=name, options={"compareTo": "previous", **options})
        received = message(request, f"m-{name}", received_at_ms=self.clock.ms)
        assert self.worker.process(received, FakeContext()).kind is OutcomeKind.CAPTURED
        return self.cloud.record(name)


@pytest.fixture
def watch(cloud: Cloud, chromium: str, tmp_path: Path) -> Iterator[Watch]:
    with serve_directory(tmp_path) as host, local_engine(chromium, host) as engine:
        yield Watch(cloud, engine, tmp_path, host)


def test_a_clock_that_is_ignored_is_no_change_and_a_price_is_exactly_one(watch: Watch) -> None:
    # Given a page with a clock that is ignored, captured several times
    options: dict[str, Any] = {"comparison": {"ignore": ["#clock"]}, "save": ["text"]}
    watch.capture(**options)
    quiet = [watch.capture(**options) for _ in range(3)]
    assert [(record.changed, record.difference) for record in quiet] == [(False, 0)] * 3
    # When a price changes
    record = watch.capture("21.40", **options)
    # Then the record has exactly that, with the element and its text
    assert record.changed
    assert {region["selector"] for region in record.changed_regions or []} == {
        "body > main > table > tbody > tr:nth-of-type(1) > td:nth-of-type(2)"
    }
    assert {region["text"] for region in record.changed_regions or []} == {"21.40"}
    # And the text changed in two lines, of which one is the clock's, that only the picture ignores
    assert record.text_changes == {"added": 2, "removed": 2}
    # And the next capture has no change
    assert watch.capture("21.40", **options).changed is False


def test_a_clock_that_is_not_ignored_is_a_change(watch: Watch) -> None:
    watch.capture()
    record = watch.capture()
    assert [region["selector"] for region in record.changed_regions or []] == ["#clock"] * len(
        record.changed_regions or []
    )
    assert record.changed


def test_a_masked_clock_is_no_change_either(watch: Watch) -> None:
    watch.capture(mask=["#clock"])
    assert watch.capture(mask=["#clock"]).changed is False


def test_a_banner_moves_the_page_and_is_what_changed(watch: Watch) -> None:
    # Given a page with a clock that is ignored
    options: dict[str, Any] = {"comparison": {"ignore": ["#clock"]}, "fullPage": True}
    watch.capture(**options)
    # When a banner appears on top of it, and the clock shows another time
    record = watch.capture(banner=BANNER, **options)
    # Then the banner was added, and the rest has moved by its height
    (banner,) = record.changed_regions or []
    assert (banner["kind"], banner["box"], banner["text"]) == ("added", [0, 0, 1280, 60], "Closed on Monday")
    assert {move["by"] for move in record.moved or []} == {60}


def test_a_change_where_an_ignored_element_would_have_been_is_a_change(watch: Watch) -> None:
    # Given a page with a clock that is ignored
    options: dict[str, Any] = {"comparison": {"ignore": ["#clock"]}, "fullPage": True}
    watch.capture(**options)
    # When a banner of about the clock's distance to the prices comes on top, and a price changes
    record = watch.capture("21.40", banner=BANNER.replace("60px", "36px"), **options)
    # Then the price is among the changes: what is ignored is where the clock is, in either image
    assert "21.40" in [region.get("text") for region in record.changed_regions or []]


def test_an_ignored_element_that_goes_is_no_change(watch: Watch) -> None:
    # Given a page with an advertisement that is ignored
    options: dict[str, Any] = {"comparison": {"ignore": ["#clock", "#ad"]}, "fullPage": True}
    watch.capture(banner=BANNER.replace("<div", "<div id=ad"), **options)
    # When it goes, then the rest has moved up, and nothing changed
    record = watch.capture(**options)
    assert (record.changed, {move["by"] for move in record.moved or []}) == (False, {-60})
    # And when it comes again, then nothing changed either
    record = watch.capture(banner=BANNER.replace("<div", "<div id=ad"), **options)
    assert (record.changed, {move["by"] for move in record.moved or []}) == (False, {60})
