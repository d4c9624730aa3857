"""The optional parts of the envelope: tenant, metadata, freshness and webhook."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillframe.errors import UnparsableBody
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import Delivery, Message
from stillframe.table import transitions

URL = "https://example.com/"
COMPLETE: dict[str, Any] = {
    "url": URL,
    "requestId": "a",
    "options": {},
    "tenant": "acme/eu:1",
    "metadata": {"order": "42", "empty": ""},
    "freshFor": 3600,
    "webhook": {"url": "https://hooks.example/x?y=1", "events": ["captured", "changed"]},
}


def parse(**changes: Any) -> CaptureRequest:
    return CaptureRequest.from_body(json.dumps({"url": URL, **changes}))


def test_a_complete_envelope_survives_the_queue() -> None:
    request = CaptureRequest.from_body(json.dumps(COMPLETE))
    assert json.loads(request.to_body()) == COMPLETE


def test_absent_members_are_not_sent() -> None:
    # An older worker refuses members that it does not know.
    assert json.loads(CaptureRequest(url=URL).to_body()) == {"url": URL, "options": {}}


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant": "x" * 128},
        {"metadata": {str(n): "v" * 256 for n in range(10)}},
        {"metadata": {"n" * 64: ""}},
        {"freshFor": 60},
        {"freshFor": 31_536_000},
        {"webhook": {"url": "http://hooks.example/"}},
    ],
)
def test_an_envelope_at_its_limits_is_accepted(changes: dict[str, Any]) -> None:
    assert parse(**changes).url == URL


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"tenant": ""}, "tenant"),
        ({"tenant": "x" * 129}, "tenant"),
        ({"tenant": "a b"}, "tenant"),
        ({"tenant": ".a"}, "tenant"),
        ({"tenant": 5}, "tenant"),
        ({"metadata": {str(n): "v" for n in range(11)}}, "metadata"),
        ({"metadata": {"n" * 65: "v"}}, "metadata"),
        ({"metadata": {"": "v"}}, "metadata"),
        ({"metadata": {"n": "v" * 257}}, "metadata"),
        ({"metadata": {"n": 1}}, "metadata"),
        ({"freshFor": 59}, "freshFor"),
        ({"freshFor": 31_536_001}, "freshFor"),
        ({"freshFor": "3600"}, "freshFor"),
        ({"webhook": {"url": "ftp://hooks.example/"}}, "webhook"),
        ({"webhook": {"url": "https://hooks.example/ x"}}, "webhook"),
        ({"webhook": {"url": "https://hooks.example/", "events": []}}, "webhook"),
        ({"webhook": {"url": "https://hooks.example/", "events": ["deleted"]}}, "webhook"),
        ({"webhook": {"url": "https://hooks.example/", "secret": "s"}}, "webhook"),
        ({"tenants": "acme"}, r"tenants is not a field; did you mean tenant\?"),
    ],
)
def test_an_envelope_just_outside_its_limits_is_refused(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(UnparsableBody, match=name):
        parse(**changes)


def test_tenant_metadata_and_freshness_are_not_part_of_the_payload() -> None:
    assert parse(tenant="acme", metadata={"a": "b"}, freshFor=60).payload_hash == parse().payload_hash


@pytest.mark.parametrize(
    ("tenant", "group", "expected"), [("acme", None, "acme"), (None, "group", "group"), ("acme", "group", "acme")]
)
def test_the_tenant_is_in_the_record_and_the_log_line(tenant: str | None, group: str | None, expected: str) -> None:
    # Given a delivery of a tenant's request
    request = CaptureRequest(url=URL, tenant=tenant, metadata={"order": "42"})
    delivery = Delivery(Message(request.to_body(), "m", "h", 1, 0, 0, group_id=group), request)
    # When it is claimed, and when it has ended
    update = transitions.claim(delivery, token="t", worker_id="w", now_ms=0, lease_expires_at_ms=1, retention_seconds=1)
    outcome = Outcome(
        kind=OutcomeKind.SKIPPED, acknowledge=True, id="a", url=URL, message_id="m", tenant=delivery.tenant
    )
    # Then record and log line name the tenant
    assert (update.set_values["tenant"], update.set_values["metadata"]) == (expected, {"order": "42"})
    assert outcome.to_log()["tenant"] == outcome.to_wire()["tenant"] == expected


def test_without_tenant_and_metadata_the_record_has_neither() -> None:
    queued = transitions.queue(CaptureRequest(url=URL), 0, 60)
    assert {"tenant", "metadata"} & queued.set_values.keys() == set()
