"""What an event says: the record as the API answers it, within the size that EventBridge takes."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from stillframe.event_detail import MAX_DETAIL_BYTES, MAX_TEXT_CHARS, detail_of, to_json
from stillframe.events import Event
from stillframe.table.attributes import to_attributes
from tests.support.workers import ROOT

SCHEMA = json.loads((ROOT / "docs/event-v1.schema.json").read_text())
# What version 1 had when it was published. Readers rely on it: to take one away is a new version.
VERSION_1 = {
    "version", "eventId", "cut", "id", "status", "url", "options", "payloadHash", "tenant", "metadata", "s3Url",
    "s3Key", "contentType", "bytes", "width", "height", "sha256", "extras", "attempts", "workerId", "messageId",
    "queuedAt", "claimedAt", "updatedAt", "durationMs", "cpuMs", "billedMs", "estimatedUsd", "errorCode",
    "errorMessage", "expiresAt", "leaseExpiresAt", "httpStatus", "finalUrl", "title", "description",
    "pageContentType", "redirects", "tlsIssuer", "tlsExpiresAt", "consoleErrors", "requests", "failedRequests",
    "transferredBytes", "timings", "pageHeight", "pageWidth", "heightCapped", "settled", "unsettled",
    "unanswered", "scroller", "blank", "blocked", "adsBlocked", "cookieBanner", "perceptualHash", "leftOut",
    "comparedTo", "changed", "difference", "comparisonProblem",
}  # fmt: skip


def completed(status: str = "success", **values: Any) -> Event:
    item = {"id": "order-42", "status": status, "claimToken": "secret", "updatedAt": 1_700_000_000_000, **values}
    return Event.of_change(None, to_attributes(item))[0]


def is_valid(detail: dict[str, Any]) -> bool:
    return jsonschema_rs.is_valid(SCHEMA, detail)


def test_the_detail_is_the_record_as_the_api_answers_it() -> None:
    # Given an event of a success
    event = completed(
        s3Url="s3://b/k", width=1280, metadata={"order": "42"}, difference=0.25, extras={"html": "s3://b/h"}
    )
    # When its detail is made
    detail = detail_of(event)
    # Then it is the API's answer, with the event's id and the version, and without the claim's token
    assert detail == {"version": 1, "eventId": event.id, **event.subject.to_wire()}
    assert "secret" not in to_json(detail)
    assert is_valid(detail)


def test_a_failure_says_why() -> None:
    detail = detail_of(completed("failed", errorCode="UNKNOWN_HOST", errorMessage="no such host"))
    assert (detail["status"], detail["errorCode"], detail["errorMessage"]) == ("failed", "UNKNOWN_HOST", "no such host")
    assert is_valid(detail)


@pytest.mark.parametrize(
    ("values", "cut"),
    [
        ({"options": {"css": "x" * 300_000}, "title": "short"}, ["options"]),
        ({"errorMessage": "é" * 150_000}, ["errorMessage"]),
        ({"consoleErrors": ["e" * 1000] * 200, "options": {"css": "x" * 150_000}}, ["consoleErrors"]),
        ({"title": "t" * 200_000, "finalUrl": "u" * 199_999, "redirects": ["r" * 250_000]}, ["redirects", "title"]),
    ],
)
def test_what_is_too_long_is_cut_and_named(values: dict[str, Any], cut: list[str]) -> None:
    # Given a record that is larger than an event may be
    event = completed(url="https://example.com/", **values)
    # When its detail is made
    detail = detail_of(event)
    # Then it fits, the longest fields are cut until it does, and it names them
    assert len(to_json(detail).encode()) <= MAX_DETAIL_BYTES
    assert detail["cut"] == cut
    assert [name for name in cut if len(detail.get(name, "")) > MAX_TEXT_CHARS] == []
    # And what identifies the event, and the fields that fit, are whole
    assert (detail["id"], detail["eventId"], detail["url"]) == ("order-42", event.id, "https://example.com/")
    assert is_valid(detail)


def test_a_detail_that_just_fits_is_whole() -> None:
    # Given a record whose detail has exactly the size that is allowed, and one that has a byte more
    empty = len(to_json(detail_of(completed(title=""))).encode())
    for excess, is_cut in ((0, False), (1, True)):
        event = completed(title="t" * (MAX_DETAIL_BYTES - empty + excess))
        # Then only the latter is cut
        assert ("cut" in detail_of(event)) is is_cut


def test_version_1_keeps_its_fields() -> None:
    assert VERSION_1 - SCHEMA["properties"].keys() == set()
    assert SCHEMA["properties"]["version"]["const"] == 1
    assert "claimToken" not in SCHEMA["properties"]


@pytest.mark.parametrize("name", SCHEMA["required"])
def test_the_schema_refuses_a_detail_without_what_every_event_has(name: str) -> None:
    detail = detail_of(completed())
    del detail[name]
    assert not is_valid(detail)
