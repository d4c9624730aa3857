"""What a record says of a change: regions with their elements, text, and what the request leaves out."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.image.element import PageElement
from stillframe.image.extra import Extra, ExtraKind
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, dying_before_completion, message

PRICE = PageElement((0, 0, 8, 8), "#price", "19.90")
ALL = {"x": 0, "y": 0, "width": 8, "height": 8}


class Watch:
    """Captures one page over time."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.clock = FakeClock()

    def deliver(self, name: str, color: str, text: str | None = None, **options: Any) -> OutcomeKind:
        saved = () if text is None else (Extra.page(ExtraKind.TEXT, text.encode()),)
        renderer = FakeRenderer(color=color, extras=saved, elements=(PRICE,))
        request = CaptureRequest(
            url="https://example.com/", request_id=name, options={"compareTo": "previous", **options}
        )
        worker = capture_with(self.cloud.clients, self.cloud.settings, renderer, self.clock)
        self.clock.advance(1)
        received = message(request, f"m-{name}", received_at_ms=self.clock.ms)
        return worker.process(received, FakeContext()).kind

    def capture(self, name: str, color: str, text: str | None = None, **options: Any) -> Record:
        assert self.deliver(name, color, text, **options) is OutcomeKind.CAPTURED
        return self.cloud.record(name)

    def extra(self, record: Record, kind: str) -> str:
        bucket = self.cloud.settings.bucket_name
        key = (record.extras or {})[kind].removeprefix(f"s3://{bucket}/")
        return self.cloud.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


@pytest.fixture
def watch(cloud: Cloud) -> Watch:
    return Watch(cloud)


def test_a_change_has_its_box_and_its_element(watch: Watch) -> None:
    # Given / When a page changes
    assert watch.capture("one", "#00aa00").changed_regions is None
    record = watch.capture("two", "#0000ff")
    # Then the record says where, and what is there
    assert record.changed_regions == [
        {"kind": "changed", "box": [0, 0, 8, 8], "pixels": 64, "selector": "#price", "text": "19.90"}
    ]


def test_a_box_of_the_request_is_ignored(watch: Watch) -> None:
    options: dict[str, Any] = {"comparison": {"ignoreBoxes": [ALL]}}
    watch.capture("one", "#00aa00", **options)
    record = watch.capture("two", "#0000ff", **options)
    assert (record.compared_to, record.changed, record.difference, record.extras) == ("one", False, 0, None)


def test_a_share_that_is_allowed_is_no_change_also_after_a_crash(watch: Watch) -> None:
    # Given a request that allows any share
    options: dict[str, Any] = {"comparison": {"maxShare": 1}}
    watch.capture("one", "#00aa00", **options)
    # When the page changes, and the worker dies after storing the image
    with dying_before_completion():
        watch.deliver("two", "#0000ff", **options)
    watch.clock.advance(3600)
    # Then the record has the share, and says that it is no change
    record = watch.capture("two", "#0000ff", **options)
    assert (record.changed, record.difference) == (False, 1)


def test_captures_of_one_request_are_compared_by_other_rules(watch: Watch) -> None:
    # Given a capture of a request
    watch.capture("one", "#00aa00")
    # When it is captured again with other rules and compared by its id, then it may be
    record = watch.capture("two", "#0000ff", compareTo="one", comparison={"maxShare": 1})
    assert (record.compared_to, record.changed) == ("one", False)


def test_what_changed_in_the_text_is_a_diff(watch: Watch) -> None:
    # Given a page whose text is saved
    watch.capture("one", "#00aa00", "Orders\n\nTotal 19.90\nThanks", save=["text"])
    same = watch.capture("two", "#00aa00", "Orders\nTotal 19.90\nThanks\n", save=["text"])
    assert (same.text_changes, "textDifference" in (same.extras or {})) == ({"added": 0, "removed": 0}, False)
    # When a price changes
    record = watch.capture("three", "#00aa00", "Orders\nTotal 21.50\nThanks", save=["text"])
    # Then the record counts the lines, and the diff has them
    assert record.text_changes == {"added": 1, "removed": 1}
    assert watch.extra(record, "textDifference").splitlines()[3:] == [
        " Orders",
        "-Total 19.90",
        "+Total 21.50",
        " Thanks",
    ]


def test_a_text_that_is_too_long_is_not_compared(watch: Watch) -> None:
    watch.capture("one", "#00aa00", "x\n" * 3001, save=["text"])
    record = watch.capture("two", "#00aa00", "y", save=["text"])
    assert record.left_out == {"textDifference": "more than 3,000 lines"}
    assert (record.changed, record.text_changes) == (False, None)


def test_a_text_without_an_earlier_one_is_not_compared(watch: Watch) -> None:
    watch.capture("one", "#00aa00", None)
    assert watch.capture("two", "#00aa00", "x", compareTo="one").text_changes is None
