"""`compareTo`: what changed since the last capture of the same request, or since a capture with a given id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from stillframe.archive import Archive
from stillframe.clock import Deadline
from stillframe.image.render_result import RenderResult
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import RenderOptions
from stillframe.table.attributes import item_key
from stillframe.table.record import Record
from stillframe.table.table import Table
from stillframe.table.update import Update
from stillframe_cli.auditor import Auditor
from stillframe_renderer.message import comparison
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, dying_before_completion, message
from tests.support.pixels import Pixels


class Watch:
    """Captures one page over time, each time in a given color."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.clock = FakeClock()

    def capture(self, name: str, color: str, compare_to: str | None = "previous", **options: Any) -> Record:
        """Capture the page; returns the new record."""
        assert self.deliver(name, color, compare_to, **options).kind is OutcomeKind.CAPTURED
        return self.cloud.record(name)

    def deliver(self, name: str, color: str, compare_to: str | None = "previous", **options: Any) -> Outcome:
        if compare_to is not None:
            options["compareTo"] = compare_to
        request = CaptureRequest(url="https://example.com/", request_id=name, options=options)
        worker = capture_with(self.cloud.clients, self.cloud.settings, FakeRenderer(color=color), self.clock)
        self.clock.advance(1)
        return worker.process(message(request, f"m-{name}", received_at_ms=self.clock.ms), FakeContext())


@pytest.fixture
def watch(cloud: Cloud) -> Watch:
    return Watch(cloud)


def comparison_of(record: Record) -> tuple[str | None, bool | None, float | None]:
    return record.compared_to, record.changed, record.difference


def test_each_capture_is_compared_with_the_last_one(watch: Watch) -> None:
    # Given / When a first capture, an equal one, and a different one
    first = watch.capture("day-1", "#00aa00")
    assert comparison_of(first) == (None, None, None)
    assert first.comparison_problem == "there is no earlier capture of this request"
    assert comparison_of(watch.capture("day-2", "#00aa00")) == ("day-1", False, 0)
    third = watch.capture("day-3", "#0000ff")
    # Then the last one is reported as changed, with an image that marks where, and what is there now
    assert comparison_of(third) == ("day-2", True, 1)
    url = (third.extras or {})["difference"]
    s3, bucket = watch.cloud.clients.s3, watch.cloud.settings.bucket_name
    marked = s3.get_object(Bucket=bucket, Key=url.removeprefix(f"s3://{bucket}/"))["Body"].read()
    assert Pixels(marked).is_all((127, 0, 159))
    # And the next capture is compared with that one
    assert comparison_of(watch.capture("day-4", "#0000ff")) == ("day-3", False, 0)
    # And the last captures in the table are not mistaken for records
    records = Archive(watch.cloud.clients, watch.cloud.settings).all_records()
    assert {record.id for record in records} == {"day-1", "day-2", "day-3", "day-4"}
    findings: list[object] = []
    Auditor(watch.cloud.clients, watch.cloud.settings).audit(findings.append)
    assert findings == []


def test_a_capture_is_not_compared_with_one_of_another_request(watch: Watch) -> None:
    watch.capture("wide", "#00aa00", viewport={"width": 900, "height": 600})
    assert watch.capture("narrow", "#0000ff", viewport={"width": 300, "height": 600}).comparison_problem is not None


def test_a_capture_is_compared_with_the_one_of_a_given_id(watch: Watch) -> None:
    watch.capture("reference", "#00aa00", None)
    assert comparison_of(watch.capture("same", "#00aa00", "reference")) == ("reference", False, 0)
    assert comparison_of(watch.capture("other", "#00aa01", "reference")) == ("reference", False, 0)
    assert comparison_of(watch.capture("blue", "#0000ff", "reference")) == ("reference", True, 1)


def test_a_page_is_captured_even_if_it_cannot_be_compared(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch.capture("one", "#00aa00", "nobody").comparison_problem == "there is no capture nobody"
    reference = watch.capture("reference", "#00aa00", None)
    bucket, key = watch.cloud.settings.bucket_name, reference.s3_key or ""
    watch.cloud.clients.s3.put_object(
        Bucket=bucket, Key=key, Body=b"%PDF-", Metadata={"sha256": reference.sha256 or ""}
    )
    assert "not an image" in (watch.capture("two", "#00aa00", "reference").comparison_problem or "")
    watch.cloud.clients.s3.delete_object(Bucket=bucket, Key=key)
    assert watch.capture("three", "#00aa00", "reference").comparison_problem == "the image of reference is gone"
    monkeypatch.setattr(comparison, "MAX_PIXELS", 10)
    assert "too many" in (watch.capture("four", "#00aa00", "three").comparison_problem or "")
    monkeypatch.setattr(comparison, "RESERVED_SECONDS", 1000)
    assert watch.capture("five", "#00aa00", "three").comparison_problem == "the job ran out of time"


def test_a_capture_is_not_compared_with_another_request_that_has_its_id_now(watch: Watch) -> None:
    # Given a capture whose record and object have expired, and whose id another page has now
    first = watch.capture("day-1", "#00aa00")
    cloud = watch.cloud
    cloud.clients.s3.delete_object(Bucket=cloud.settings.bucket_name, Key=first.s3_key or "")
    cloud.clients.dynamodb.delete_item(TableName=cloud.settings.table_name, Key=item_key("day-1"))
    other = CaptureRequest(url="https://example.com/private", request_id="day-1")
    capture_with(cloud.clients, cloud.settings, FakeRenderer(color="#ff0000"), watch.clock).process(
        message(other, "m-other"), FakeContext()
    )
    assert cloud.record("day-1").s3_key == first.s3_key
    # When the first page is captured again, then nothing of the other one is read
    second = watch.capture("day-2", "#00aa00")
    assert (second.comparison_problem, second.extras) == ("the image of day-1 is gone", None)


def test_a_failed_capture_cannot_be_compared_with(watch: Watch) -> None:
    assert watch.deliver("broken", "#00aa00", "no spaces allowed").kind is OutcomeKind.FAILED
    assert watch.capture("one", "#00aa00", "broken").comparison_problem == "there is no capture broken"


def test_a_capture_that_another_one_overtakes_is_not_compared(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a capture during which another one is completed, which shows a change
    watch.capture("first", "#00aa00")
    render = FakeRenderer.render
    overtaking = iter([("fast", "#0000ff")])

    def overtaken(self: FakeRenderer, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        result = render(self, url, options, deadline)
        for name, color in overtaking:
            watch.capture(name, color)
        return result

    monkeypatch.setattr(FakeRenderer, "render", overtaken)
    # When it is completed as well
    slow = watch.capture("slow", "#0000ff")
    # Then the change is told of once, and whoever comes next is compared with the one that did so
    assert comparison_of(watch.cloud.record("fast")) == ("first", True, 1)
    assert comparison_of(slow) == (None, None, None)
    assert slow.comparison_problem == "another capture of this request was completed in the meantime"
    assert slow.extras is None
    assert comparison_of(watch.capture("next", "#0000ff")) == ("fast", False, 0)


def test_an_adopted_image_whose_predecessor_is_no_longer_the_last_is_not_compared(watch: Watch) -> None:
    # Given a capture that shows a change and whose completion was lost, and another one that showed the same
    watch.capture("first", "#00aa00")
    with dying_before_completion():
        watch.deliver("lost", "#0000ff")
    assert comparison_of(watch.capture("second", "#0000ff")) == ("first", True, 1)
    # When the first of the two is delivered again, then nobody hears of the change twice
    watch.clock.advance(3600)
    assert comparison_of(watch.capture("lost", "#0000ff")) == (None, None, None)
    assert comparison_of(watch.capture("third", "#0000ff")) == ("second", False, 0)


def test_a_completion_whose_answer_was_lost_keeps_its_comparison(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a capture whose completion took effect, and is sent again when yet another capture has been completed
    watch.capture("first", "#00aa00")
    complete, others = Table.update_together, iter(["third"])

    def lose_the_answer(self: Table, updates: Mapping[str, Update]) -> str | None:
        answer = complete(self, updates)
        for name in others:
            watch.capture(name, "#0000ff")
            return complete(self, updates)
        return answer

    monkeypatch.setattr(Table, "update_together", lose_the_answer)
    # When it has ended, then its record still tells of the change
    second = watch.capture("second", "#0000ff")
    assert (comparison_of(second), second.comparison_problem) == (("first", True, 1), None)
    assert comparison_of(watch.cloud.record("third")) == ("second", False, 0)


def test_two_watches_of_one_page_have_their_own_last_captures(watch: Watch) -> None:
    # Given a daily and an hourly watch of one page, whose change the hourly one sees first
    watch.capture("_watch:daily:0123:2026-01-01T00:00:00Z", "#00aa00")
    watch.capture("_watch:hourly:0123:2026-01-01T22:00:00Z", "#00aa00")
    watch.capture("_watch:hourly:0123:2026-01-01T23:00:00Z", "#0000ff")
    # When the daily one captures it again, then it sees the change as well
    second = watch.capture("_watch:daily:0123:2026-01-02T00:00:00Z", "#0000ff")
    assert comparison_of(second) == ("_watch:daily:0123:2026-01-01T00:00:00Z", True, 1)


def test_a_change_is_not_lost_if_there_was_no_time_to_compare(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a change that was captured when there was no time left to compare
    watch.capture("first", "#00aa00")
    with monkeypatch.context() as hurried:
        hurried.setattr(comparison, "RESERVED_SECONDS", 1000)
        assert watch.capture("second", "#0000ff").comparison_problem == "the job ran out of time"
    # When the page is captured again, then the change is seen
    assert comparison_of(watch.capture("third", "#0000ff")) == ("first", True, 1)
    # And so is one that was captured in an image that is too large to compare
    with monkeypatch.context() as limited:
        limited.setattr(comparison, "MAX_PIXELS", 10)
        assert "too many" in (watch.capture("fourth", "#00aa00").comparison_problem or "")
    assert comparison_of(watch.capture("fifth", "#00aa00")) == ("third", True, 1)


def test_a_redelivered_capture_is_not_compared_with_itself(watch: Watch) -> None:
    # Given the last capture of a request, whose completion was lost
    with dying_before_completion():
        watch.deliver("one", "#00aa00")
    # When it is delivered again and its object is adopted, then it is not compared with itself
    watch.clock.advance(3600)
    assert watch.capture("one", "#0000ff").compared_to is None
    # And the next capture is compared with it
    assert comparison_of(watch.capture("two", "#00aa00")) == ("one", False, 0)


def test_an_adopted_capture_keeps_its_comparison(watch: Watch) -> None:
    watch.capture("one", "#00aa00")
    with dying_before_completion():
        watch.deliver("two", "#0000ff")
    watch.clock.advance(3600)
    assert comparison_of(watch.capture("two", "#ff0000")) == ("one", True, 1)


def test_a_comparison_costs_two_calls_and_a_third_for_a_change(cloud: Cloud) -> None:
    watch = Watch(cloud)
    watch.capture("one", "#00aa00")
    calls = cloud.count_calls()
    watch.deliver("two", "#00aa00")
    assert calls == ["UpdateItem", "GetItem", "GetObject", "PutObject", "TransactWriteItems"]
    calls.clear()
    watch.deliver("three", "#0000ff")
    assert calls.count("PutObject") == 2


def test_a_pdf_is_not_compared(watch: Watch) -> None:
    outcome = watch.deliver("one", "#00aa00", format="pdf")
    assert (outcome.error_code, "compareTo and format conflict" in (outcome.error_message or "")) == (
        "INVALID_REQUEST",
        True,
    )
