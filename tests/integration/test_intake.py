"""Requests whose sender waits for an answer are accepted or refused at once, and an accepted one is never lost."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stillframe.errors import CaptureError, IdConflict, InvalidRequest, ServiceUnavailable
from stillframe.intake import Accepted, Intake
from stillframe.record_list import MAX_RECORDS, RecordList
from stillframe.request.capture_request import CaptureRequest
from stillframe.table import transitions
from stillframe.table.record import Status
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

URL = "https://example.com/"


def intake_of(cloud: Cloud) -> Intake:
    return Intake(cloud.clients, cloud.settings)


def request(request_id: str, url: str = URL, **options: Any) -> CaptureRequest:
    return CaptureRequest(url=url, request_id=request_id, options=options)


def bodies(cloud: Cloud) -> list[str]:
    return [json.loads(each["Body"])["requestId"] for each in cloud.receive(wait=0)]


def test_a_list_is_answered_one_by_one_and_in_order(cloud: Cloud) -> None:
    # Given a list with a wrong request in the middle, and an id that another request has
    cloud.send(request("taken"))
    requests = [request("a"), request("b", viewport={"width": 0}), request("taken", url="https://other.example/")]
    # When it is accepted
    first, second, third = intake_of(cloud).accept(requests)
    # Then each has its own answer, and only what was accepted has a record and a message
    assert first == Accepted(requests[0], Status.QUEUED)
    assert isinstance(second, InvalidRequest)
    assert "viewport.width" in second.message
    assert isinstance(third, IdConflict)
    assert cloud.find_record("b") is None
    assert sorted(bodies(cloud)) == ["a", "taken"]


@pytest.mark.parametrize("url", ["ftp://example.com/", "example.com", "https://", "https://a b/", "https://u:p@a.de/"])
def test_a_url_that_no_worker_could_capture_is_refused(cloud: Cloud, url: str) -> None:
    (answer,) = intake_of(cloud).accept([request("a", url=url)])
    assert isinstance(answer, CaptureError)
    assert cloud.find_record("a") is None


def test_a_record_whose_message_was_never_sent_gets_one_when_the_request_comes_again(cloud: Cloud) -> None:
    # Given an intake that ended between the record and the message
    queued = transitions.queue(request("a"), 1, 1000)
    cloud.table.update("a", queued)
    # When the caller tries again with the same id
    (answer,) = intake_of(cloud).accept([request("a")])
    # Then the message is sent
    assert isinstance(answer, Accepted)
    assert bodies(cloud) == ["a"]


def test_a_clock_that_is_behind_leaves_no_record_without_a_message(cloud: Cloud) -> None:
    # Given an intake that ended between the record and the message, and one that read its clock before that
    cloud.table.update("a", transitions.queue(request("a"), FakeClock().ms + 95_000, 1000))
    # When the same request comes again
    Intake(cloud.clients, cloud.settings, FakeClock()).accept([request("a")])
    # Then it has a message
    assert bodies(cloud) == ["a"]


def test_what_is_not_sent_is_not_accepted(cloud: Cloud) -> None:
    # Given a queue that does not exist
    settings = cloud.settings.model_copy(update={"queue_url": f"{cloud.settings.queue_url}-gone"})
    # When requests come, then none is accepted
    answers = Intake(cloud.clients, settings).accept([request("a"), request("b")])
    assert [type(each) for each in answers] == [ServiceUnavailable, ServiceUnavailable]


def test_large_requests_are_sent_in_batches_that_sqs_accepts(cloud: Cloud) -> None:
    # Given ten requests that are larger than 1 MiB together
    requests = [request(f"large-{number}", html="é" * 90_000) for number in range(10)]
    # When they are sent, then all are accepted
    answers = intake_of(cloud).accept(requests)
    assert [each for each in answers if not isinstance(each, Accepted)] == []


def test_parallel_requests_with_one_id_have_one_record(cloud: Cloud) -> None:
    # Given / When 200 equal requests at once
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: intake_of(cloud).accept([request("one")])[0], range(200)))
    # Then each is accepted, and there is one record
    assert {type(each) for each in answers} == {Accepted}
    assert cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name)["Count"] == 1


@pytest.mark.parametrize("status", [None, Status.QUEUED])
def test_a_list_of_records_is_read_page_by_page(cloud: Cloud, status: Status | None) -> None:
    # Given more records than fit a page
    cloud.send(*(request(f"id-{number}") for number in range(70)))
    records = RecordList(cloud.clients, cloud.settings)
    # When all pages are read
    seen: Counter[str] = Counter()
    page = records.page(status, limit=30)
    while True:
        assert len(page.records) <= 30
        seen.update(record.id for record in page.records)
        if page.cursor is None:
            break
        page = records.page(status, cursor=page.cursor, limit=30)
    # Then each record was there once
    assert seen == Counter({f"id-{number}": 1 for number in range(70)})
    assert len(records.page(status, limit=MAX_RECORDS).records) == 70
    assert records.page(Status.SUCCESS).records == []


@pytest.mark.parametrize("cursor", ["x", "e30=", "bm90IGpzb24", "eyJzaGFyZCI6OTl9", "é", "A" * 5000])
def test_a_cursor_that_no_list_has_returned_is_refused(cloud: Cloud, cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        RecordList(cloud.clients, cloud.settings).page(Status.QUEUED, cursor=cursor)


def test_a_cursor_belongs_to_its_list(cloud: Cloud) -> None:
    # Given the cursor of a list
    cloud.send(*(request(f"id-{number}") for number in range(5)))
    cursor = RecordList(cloud.clients, cloud.settings).page(Status.QUEUED, limit=1).cursor
    # When it is used for another list, then that is refused
    for status, since in ((Status.FAILED, 0), (None, 0), (Status.QUEUED, 5)):
        with pytest.raises(InvalidRequest, match="another status or since"):
            RecordList(cloud.clients, cloud.settings).page(status, since, cursor)


def test_equal_requests_of_one_window_are_one_screenshot_whose_age_is_told(cloud: Cloud) -> None:
    # Given a request that is fresh for a minute, and what came of it
    clock = FakeClock()
    accepts = Intake(cloud.clients, cloud.settings, clock)
    equal = CaptureRequest(url=URL, fresh_for=60)
    (first,) = accepts.accept([equal])
    assert isinstance(first, Accepted)
    assert first.fresh_until_ms is not None
    assert clock.ms < first.fresh_until_ms <= clock.ms + 60_000
    clock.ms = first.fresh_until_ms - 5_000
    capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(message(first.request), FakeContext())
    # When an equal one comes before the window ends, and another one after that
    clock.ms += 3_000
    (second,) = accepts.accept([equal])
    clock.ms = first.fresh_until_ms
    (third,) = accepts.accept([equal])
    # Then the former is answered with the same screenshot and its age, and the latter is a new one
    assert second == Accepted(first.request, Status.SUCCESS, first.fresh_until_ms, 3)
    assert isinstance(third, Accepted)
    assert third.request.id != first.request.id
    assert (third.status, third.fresh_until_ms) == (Status.QUEUED, first.fresh_until_ms + 60_000)
