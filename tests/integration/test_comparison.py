"""`compareTo`: what changed since the previous capture of a request, or since one by its id."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record
from stillframe_cli.archive import Archive
from stillframe_cli.auditor import Auditor
from stillframe_renderer.message import comparison
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, dying_before_completion, message
from tests.support.pixels import Pixels


class Watch:
    """Captures of one page over time, each of a color."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.clock = FakeClock()

    def capture(self, name: str, color: str, compare_to: str | None = "previous", **options: Any) -> Record:
        """The record of a new capture."""
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


def told(record: Record) -> tuple[str | None, bool | None, float | None]:
    return record.compared_to, record.changed, record.difference


def test_each_capture_is_compared_with_the_one_before(watch: Watch) -> None:
    # Given / When the first one, one like it, and one that is another
    first = watch.capture("day-1", "#00aa00")
    assert told(first) == (None, None, None)
    assert first.comparison_problem == "there is no earlier capture of this request"
    assert told(watch.capture("day-2", "#00aa00")) == ("day-1", False, 0)
    third = watch.capture("day-3", "#0000ff")
    # Then it tells, and shows where
    assert told(third) == ("day-2", True, 1)
    url = (third.extras or {})["difference"]
    s3, bucket = watch.cloud.clients.s3, watch.cloud.settings.bucket_name
    marked = s3.get_object(Bucket=bucket, Key=url.removeprefix(f"s3://{bucket}/"))["Body"].read()
    assert Pixels(marked).is_all((255, 0, 64))
    # And the next one is compared with that
    assert told(watch.capture("day-4", "#0000ff")) == ("day-3", False, 0)
    # And nobody takes what is beside the records for one
    records = Archive(watch.cloud.clients, watch.cloud.settings).all_records()
    assert {record.id for record in records} == {"day-1", "day-2", "day-3", "day-4"}
    findings: list[object] = []
    Auditor(watch.cloud.clients, watch.cloud.settings).audit(findings.append)
    assert findings == []


def test_another_request_is_another_series(watch: Watch) -> None:
    watch.capture("wide", "#00aa00", viewport={"width": 900, "height": 600})
    assert watch.capture("narrow", "#0000ff", viewport={"width": 300, "height": 600}).comparison_problem is not None


def test_a_capture_is_compared_with_one_by_its_id(watch: Watch) -> None:
    watch.capture("reference", "#00aa00", None)
    assert told(watch.capture("same", "#00aa00", "reference")) == ("reference", False, 0)
    assert told(watch.capture("other", "#00aa01", "reference")) == ("reference", False, 0)
    assert told(watch.capture("blue", "#0000ff", "reference")) == ("reference", True, 1)


def test_what_cannot_be_compared_is_captured(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch.capture("one", "#00aa00", "nobody").comparison_problem == "there is no capture nobody"
    reference = watch.capture("reference", "#00aa00", None)
    bucket, key = watch.cloud.settings.bucket_name, reference.s3_key or ""
    watch.cloud.clients.s3.put_object(Bucket=bucket, Key=key, Body=b"%PDF-")
    assert "not an image" in (watch.capture("two", "#00aa00", "reference").comparison_problem or "")
    watch.cloud.clients.s3.delete_object(Bucket=bucket, Key=key)
    assert watch.capture("three", "#00aa00", "reference").comparison_problem == "the image of reference is gone"
    monkeypatch.setattr(comparison, "MAX_PIXELS", 10)
    assert "too many" in (watch.capture("four", "#00aa00", "three").comparison_problem or "")
    monkeypatch.setattr(comparison, "RESERVED_SECONDS", 1000)
    assert watch.capture("five", "#00aa00", "three").comparison_problem == "the job ran out of time"


def test_a_capture_that_failed_is_no_reference(watch: Watch) -> None:
    assert watch.deliver("broken", "#00aa00", "no spaces allowed").kind is OutcomeKind.FAILED
    assert watch.capture("one", "#00aa00", "broken").comparison_problem == "there is no capture broken"


def test_a_late_capture_does_not_become_the_last_one(watch: Watch) -> None:
    # Given a capture that was claimed before another one, and stored after it
    watch.capture("early", "#00aa00")
    watch.clock.advance(-3600)
    watch.capture("late", "#0000ff")
    watch.clock.advance(7200)
    # Then the next one is compared with the other
    assert watch.capture("next", "#00aa00").compared_to == "early"


def test_a_redelivered_capture_is_not_compared_with_itself(watch: Watch) -> None:
    # Given a capture that is the last of its series, and whose completion was lost
    with dying_before_completion():
        watch.deliver("one", "#00aa00")
    # When it is delivered again, and its object is adopted
    watch.clock.advance(3600)
    assert watch.capture("one", "#0000ff").compared_to is None
    # Then the series goes on from it
    assert told(watch.capture("two", "#00aa00")) == ("one", False, 0)


def test_an_adopted_capture_keeps_what_it_was_told(watch: Watch) -> None:
    watch.capture("one", "#00aa00")
    with dying_before_completion():
        watch.deliver("two", "#0000ff")
    watch.clock.advance(3600)
    assert told(watch.capture("two", "#ff0000")) == ("one", True, 1)


def test_a_comparison_costs_three_calls_more_and_a_fourth_where_something_changed(cloud: Cloud) -> None:
    watch = Watch(cloud)
    watch.capture("one", "#00aa00")
    calls = cloud.count_calls()
    watch.deliver("two", "#00aa00")
    assert calls == ["UpdateItem", "GetItem", "GetObject", "PutObject", "UpdateItem", "UpdateItem"]
    calls.clear()
    watch.deliver("three", "#0000ff")
    assert calls.count("PutObject") == 2


def test_a_pdf_is_not_compared(watch: Watch) -> None:
    outcome = watch.deliver("one", "#00aa00", format="pdf")
    assert (outcome.error_code, "compareTo and format conflict" in (outcome.error_message or "")) == (
        "INVALID_REQUEST",
        True,
    )
