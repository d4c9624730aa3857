"""The record: values survive the table, and records spread over the index shards."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillframe.archive import is_record
from stillframe.errors import UnparsableBody
from stillframe.image.page_facts import PageFacts
from stillframe.request.capture_request import CaptureRequest
from stillframe.table import host_limit, last_capture, transitions, wait_count
from stillframe.table.attributes import from_attributes, to_attributes
from stillframe.table.record import INDEX_SHARDS, Record, Status, index_shard, index_shards
from stillframe.table.table import CHECK_KEY
from stillframe.table.update import Update
from stillframe.tenants import key_store, quota, usage
from stillframe.webhooks import attempts

values = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(0.001, 1e6) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(min_size=1), children, max_size=3),
    max_leaves=5,
)


# How fast values are made depends on what else the machine does.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(min_size=1), values, max_size=4))
def test_values_survive_a_round_trip_through_the_table(original: dict[str, object]) -> None:
    assert from_attributes(to_attributes(original)) == original


def test_a_queued_record_reads_back_unchanged() -> None:
    request = CaptureRequest(url="https://example.com/", request_id="a", options={"deviceScaleFactor": 1.5})
    queued = transitions.queue(request, now_ms=1_000_000, retention_seconds=60)
    record = Record.model_validate({"id": request.id, **queued.set_values})
    assert (record.id, record.status, record.options) == ("a", Status.QUEUED, {"deviceScaleFactor": 1.5})
    assert (record.queued_at, record.expires_at, record.attempts) == (1_000_000, 1060, 0)


def test_a_reader_ignores_attributes_of_a_newer_version() -> None:
    assert Record.from_item(to_attributes({"id": "a", "status": "success", "new": 1})).id == "a"


def test_records_spread_evenly_over_all_index_shards() -> None:
    counts = Counter(index_shard(Status.QUEUED, f"id-{number}") for number in range(16_000))
    assert set(counts) == {f"queued#{shard}" for shard in range(INDEX_SHARDS)}
    # And a list of them also reads where an earlier version has put them once they were claimed
    assert set(index_shards(Status.QUEUED)) == {*counts, *(f"processing#{shard}" for shard in range(INDEX_SHARDS))}
    assert max(counts.values()) < 1200


def test_an_update_uses_placeholders_for_every_name() -> None:
    # `status`, `url` and `bytes` are reserved words of DynamoDB: only placeholders may name them.
    arguments = Update(
        condition="#status = :old", set_values={"status": "x", "url": "y", "bytes": 1}, remove=("title",)
    ).to_arguments()
    assert arguments["UpdateExpression"] == (
        "SET #status = :set_status, #url = :set_url, #bytes = :set_bytes REMOVE #title"
    )
    assert arguments["ExpressionAttributeNames"] == {f"#{name}": name for name in ("status", "url", "bytes", "title")}


def test_a_record_has_an_attribute_for_every_page_fact() -> None:
    assert PageFacts.model_fields.keys() - Record.model_fields.keys() == set()


@pytest.mark.parametrize("value", [5e-324, -1e-200, 1e-131, 1e-130, 0.1, 9.9e125])
def test_a_number_too_small_for_the_table_is_stored_as_zero(value: float) -> None:
    # Given a number, of which DynamoDB holds those from 1E-130 on ("Number", Data types)
    stored = from_attributes(to_attributes({"number": value}))["number"]
    # Then it can be stored, and comes back as it was or as zero
    assert float(stored) == (value if abs(value) >= 1e-130 else 0)


def test_no_screenshot_id_is_the_key_of_another_item() -> None:
    # Given the keys of everything beside the records
    keys = [module.PREFIX for module in (host_limit, last_capture, wait_count, attempts, key_store, quota, usage)]
    # Then each has what no id may have, and so nobody who reads the table takes it for a record
    assert not any(is_record({"id": {"S": key}}) for key in [*keys, CHECK_KEY])
    with pytest.raises(UnparsableBody):
        CaptureRequest.from_body('{"url": "https://example.com/", "requestId": "webhook#a"}')
