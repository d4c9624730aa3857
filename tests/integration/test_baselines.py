"""Watches that compare with an approved capture, and changes that two captures in a row have to show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stillframe.events import Event
from stillframe.refused import Refused
from stillframe.request.envelope import EventKind
from stillframe.table.attributes import item_key
from stillframe.table.record import Record
from stillframe.watches.declared import Declared
from stillframe.watches.store import WatchStore
from stillframe.watches.watch import Watch
from stillframe_cli.watching.baselines import Baselines
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

from .test_watches import run

URL = "https://example.com/shoes"
HOUR_MS = 3_600_000
GREEN, BLUE, RED = "#00aa00", "#0000ff", "#ff0000"


class Page:
    """A watched page, captured once in each hour in the color that it has then."""

    def __init__(self, cloud: Cloud, **values: Any) -> None:
        self.cloud, self.clock = cloud, FakeClock()
        self._store = WatchStore(cloud.clients, cloud.settings, self.clock)
        self.watch = self._store.declare(Declared.of("shop", {"urls": [URL], "every": "1h", **values}))
        self.baselines = Baselines(cloud.clients, cloud.settings, self.clock)
        self._period_ms = self.clock.ms // HOUR_MS * HOUR_MS

    def capture(self, color: str) -> Record:
        """Capture the next period."""
        self._period_ms += HOUR_MS
        self.clock.ms = self._period_ms + 1000
        request = self.watch.request(URL, self._period_ms)
        worker = capture_with(self.cloud.clients, self.cloud.settings, FakeRenderer(color=color), self.clock)
        worker.process(message(request, request.id), FakeContext())
        return self.cloud.record(request.id)

    def reports(self, record: Record) -> bool:
        """Whether the capture is an event of a change."""
        stored = self.cloud.clients.dynamodb.get_item(TableName=self.cloud.settings.table_name, Key=item_key(record.id))
        return any(event.kind is EventKind.CHANGED for event in Event.of_change(None, stored["Item"]))

    def story(self, *colors: str) -> list[bool]:
        """Capture these colors one after the other; which of the captures report a change?"""
        return [self.reports(self.capture(color)) for color in colors]


def test_a_change_is_reported_once_against_a_baseline(cloud: Cloud) -> None:
    # Given a page whose first capture is the baseline
    page = Page(cloud, compare="baseline")
    assert page.story(GREEN, GREEN) == [False, False]
    # When it changes and stays so, then the first capture reports it, and the others name that one
    first, second = page.capture(BLUE), page.capture(BLUE)
    assert (page.reports(first), page.reports(second)) == (True, False)
    assert (second.changed, second.changed_since, second.compared_to) == (True, first.id, first.compared_to)
    # And another change is another report, and so is the way back from it
    assert page.story(RED, RED, BLUE) == [True, False, True]
    # And whoever returns to the baseline has changed nothing
    assert page.story(GREEN) == [False]


def test_an_approved_capture_is_the_baseline(cloud: Cloud) -> None:
    # Given a page that has changed from its baseline
    page = Page(cloud, compare="baseline")
    page.story(GREEN)
    blue = page.capture(BLUE)
    # When the change is approved
    assert page.baselines.approve(page.watch, URL).id == blue.id
    # Then the same is no change any more, and what was there before is one
    same, back = page.capture(BLUE), page.capture(GREEN)
    assert (same.changed, same.compared_to) == (False, blue.id)
    assert page.reports(back)


@pytest.mark.parametrize("confirm", [False, True])
def test_a_capture_that_cannot_be_compared_leaves_the_baseline_alone(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, confirm: bool
) -> None:
    # Given a baseline, and a change that was reported
    page = Page(cloud, compare="baseline", confirm=confirm)
    baseline = page.capture(GREEN)
    page.story(BLUE, BLUE)
    # When the page is too large to be compared, once
    with monkeypatch.context() as patch:
        patch.setattr("stillframe_renderer.message.comparison.MAX_PIXELS", 1)
        large = page.capture(RED)
    assert "too many to compare" in (large.comparison_problem or "")
    # Then it has not become the baseline, which nobody has approved, and what was reported is not reported again
    (of_page,) = page.baselines.of(page.watch)
    assert of_page.capture is not None
    assert of_page.capture.id == baseline.id
    assert page.story(BLUE) == [False]


def test_a_baseline_whose_image_is_gone_is_replaced(cloud: Cloud) -> None:
    # Given a baseline whose image has expired
    page = Page(cloud, compare="baseline")
    baseline = page.capture(GREEN)
    cloud.clients.s3.delete_object(Bucket=cloud.settings.bucket_name, Key=baseline.s3_key or "")
    # When the page is captured again, then that capture is what later ones are compared with
    second = page.capture(BLUE)
    (of_page,) = page.baselines.of(page.watch)
    assert of_page.capture is not None
    assert of_page.capture.id == second.id
    assert page.story(BLUE, RED) == [False, True]


def test_a_capture_under_way_does_not_undo_an_approval(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a capture that has begun when somebody approves the one before it
    page = Page(cloud, compare="baseline")
    page.story(GREEN)
    blue, render = page.capture(BLUE), FakeRenderer.render

    def approved_meanwhile(self: FakeRenderer, *arguments: Any) -> Any:
        page.baselines.approve(page.watch, URL)
        return render(self, *arguments)

    # When it is completed
    with monkeypatch.context() as patched:
        patched.setattr(FakeRenderer, "render", approved_meanwhile)
        under_way = page.capture(GREEN)
    # Then it is not compared, and the approved one is the baseline
    assert under_way.comparison_problem == "another capture of this request was completed in the meantime"
    assert page.capture(BLUE).compared_to == blue.id


@pytest.mark.parametrize("compare", ["previous", "baseline"])
def test_two_captures_in_a_row_confirm_a_change(cloud: Cloud, compare: str) -> None:
    # Given a watch that wants changes confirmed
    page = Page(cloud, compare=compare, confirm=True)
    page.story(GREEN)
    # When one capture shows something else, then it says so and reports nothing
    once = page.capture(BLUE)
    assert (once.changed, once.unconfirmed, page.reports(once)) == (False, True, False)
    # And what comes and goes, or is different each time, is never reported
    assert page.story(GREEN, RED, BLUE, GREEN) == [False] * 4
    # And what stays is reported by the second capture, once
    assert page.story(BLUE, BLUE, BLUE) == [False, True, False]


def test_what_cannot_be_a_baseline_is_refused(cloud: Cloud) -> None:
    page = Page(cloud, compare=True)
    with pytest.raises(Refused, match="does not compare with a baseline"):
        page.baselines.approve(page.watch, URL)
    page = Page(cloud, compare="baseline")
    with pytest.raises(Refused, match="has not been captured by shop yet"):
        page.baselines.approve(page.watch, URL)
    # A capture with other options is another picture.
    record = page.capture(GREEN)
    wide: Watch = page.watch.model_copy(update={"options": {"fullPage": True}})
    with pytest.raises(Refused, match="captured with other options"):
        page.baselines.approve(wide, URL, record.id[-20:])


def test_the_commands_show_export_and_change_the_baseline(cloud: Cloud, tmp_path: Path) -> None:
    # Given a page that has changed from its baseline
    page = Page(cloud, compare="baseline")
    first, second = page.capture(GREEN), page.capture(BLUE)
    shown = run(cloud.exports, "baseline", "shop", "--json", "--out", str(tmp_path))
    assert json.loads(shown.stdout) == {"url": URL, "id": first.id}, shown.stderr
    assert "1 of 1 images written" in shown.stderr
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".png"]
    # When the change is approved, then it is the baseline
    approved = run(cloud.exports, "approve", "shop", "--period", second.id[-20:])
    assert f"{URL}: {second.id} is the baseline." in approved.stderr
    assert second.id in run(cloud.exports, "baseline", "shop").stdout
    # And a page that the watch does not have is named
    unknown = run(cloud.exports, "approve", "shop", "https://example.com/boots")
    assert (unknown.returncode, "does not have the page https://example.com/boots" in unknown.stderr) == (1, True)
