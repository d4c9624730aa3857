"""Quotas: exactly as many requests as a key allows, and what they cost."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from stillframe.cost import lambda_usd, worker_architecture
from stillframe.errors import CaptureError, CaptureTimeout, SelectorNotFound
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.attributes import LAST_WRITE
from stillframe.table.table import Table, Written
from stillframe.table.update import Update
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.limits import Limits
from stillframe.tenants.quota import Quotas
from stillframe.tenants.usage import UsageBook, seconds_to_next_month
from stillframe_renderer.usage_meter import UsageMeter
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

from .conftest import Client, services_of

URL = "https://example.com/"
# Far ahead: the emulator deletes what has expired by the clock of the machine.
NOON = int(datetime(2096, 11, 26, 12, 0, 15, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def noon(clock: FakeClock) -> FakeClock:
    clock.ms = NOON
    return clock


@pytest.fixture
def quotas(cloud: Cloud, noon: FakeClock) -> Quotas:
    return services_of(cloud, clock=noon).quotas


def test_of_a_hundred_parallel_requests_exactly_sixty_are_let_through(cloud: Cloud, noon: FakeClock) -> None:
    # Given a limit of 60 a minute
    limits = Limits(per_minute=60)

    # When 100 requests come at once, each to an API of its own
    def take(_: int) -> int:
        return services_of(cloud, clock=noon).quotas.take("acme", limits, 1).number

    with ThreadPoolExecutor(25) as pool:
        granted = Counter(pool.map(take, range(100)))
    # Then exactly 60 are let through
    assert granted == {1: 60, 0: 40}


def test_parallel_lists_share_what_is_left(quotas: Quotas) -> None:
    # Given 10 lists of 9 requests, at a limit of 60
    limits = Limits(per_minute=60, per_day=1000)
    with ThreadPoolExecutor(10) as pool:
        granted = list(pool.map(lambda _: quotas.take("acme", limits, 9).number, range(10)))
    # Then 60 of the 90 are let through, and the day has counted just as many
    assert sum(granted) == 60
    assert [(each.used, each.limit) for each in quotas.states("acme", limits)] == [(60, 60), (60, 1000)]


@pytest.mark.parametrize(("limit", "number", "granted"), [(5, 5, 5), (5, 6, 5), (5, 100, 5), (1, 1, 1)])
def test_a_list_gets_what_there_is_room_for(quotas: Quotas, limit: int, number: int, granted: int) -> None:
    grant = quotas.take("acme", Limits(per_minute=limit), number)
    assert (grant.number, grant.refusal is None) == (granted, granted == number)
    assert quotas.take("acme", Limits(per_minute=limit), 1).number == 0 if granted == limit else True


def test_a_quota_begins_anew_with_the_next_window(quotas: Quotas, noon: FakeClock) -> None:
    # Given a tenant that has used up its minute
    limits = Limits(per_minute=2, per_day=3)
    assert quotas.take("acme", limits, 2).number == 2
    refusal = quotas.take("acme", limits, 1).refusal
    # Then it is told when the next one begins, and has it then
    assert refusal is not None
    assert refusal.retry_after_seconds == 45
    noon.advance(44)
    assert quotas.take("acme", limits, 1).number == 0
    noon.advance(1)
    # And what was refused for the minute has not counted for the day
    assert quotas.take("acme", limits, 1).number == 1
    refusal = quotas.take("acme", limits, 1).refusal
    assert refusal is not None
    assert "3 requests a day" in refusal.message
    assert refusal.retry_after_seconds == 12 * 3600 - 60
    # And another tenant has its own
    assert quotas.take("other", limits, 1).number == 1


def test_a_call_whose_answer_was_lost_counts_once(cloud: Cloud, noon: FakeClock) -> None:
    # Given a table to which the SDK sends every call twice, because the first answer is lost
    class Twice(Table):
        def update(self, key: str, update: Update, *, return_old: bool = False) -> Written:
            super().update(key, update, return_old=return_old)
            return super().update(key, update, return_old=return_old)

    table = Twice(cloud.clients.dynamodb, cloud.settings.table_name)
    usage = UsageBook(table, noon)
    quotas = Quotas(table, usage, noon)
    # When requests are counted, then each counts once, and is let through
    assert [quotas.take("acme", Limits(per_minute=3), 1).number for _ in range(4)] == [1, 1, 1, 0]
    usage.add("acme", 1, 0.25)
    assert (usage.read("acme").captures, usage.read("acme").usd) == (1, 0.25)
    assert LAST_WRITE in (cloud.table.get(f"usage#acme#{usage.read('acme').month}") or {})


def test_what_is_over_the_limit_is_answered_with_429(locked: Client, key_store: KeyStore) -> None:
    # Given a key with two requests a minute
    key, _ = key_store.create("acme", Limits(per_minute=2, per_day=100))
    holder = Client(locked.url, key.text)
    # When it sends one, then the answer says what is left
    first = holder.post({"url": URL, "requestId": "a"})
    assert first.status == 202
    assert first.headers["RateLimit-Policy"] == '"minute";q=2;w=60, "day";q=100;w=86400'
    assert re.fullmatch(r'"minute";r=1;t=\d+, "day";r=99;t=\d+', first.headers["RateLimit"])
    # When a list has more than there is room for, then its first requests are let through
    answers = holder.post([{"url": URL, "requestId": each} for each in ("b", "c")])
    assert [each["status"] for each in answers.json["items"]] == [202, 429]
    assert answers.json["items"][1]["problem"]["code"] == "QUOTA_EXCEEDED"
    # And what comes after that is a problem, which says when to come again
    refused = holder.post({"url": URL, "requestId": "d"})
    assert refused.problem[:2] == (429, "QUOTA_EXCEEDED")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"minute";r=0;t=')
    assert holder.call("POST", "/v1/screenshots/a/retry").status == 429
    # And reading costs nothing
    assert holder.get("/v1/screenshots/a").status == 200
    assert holder.get("/v1/screenshots/d").status == 404


def test_a_second_key_is_no_second_quota(locked: Client, key_store: KeyStore) -> None:
    keys = [key_store.create("acme", Limits(per_minute=1))[0] for _ in range(2)]
    statuses = [Client(locked.url, key.text).post({"url": URL, "requestId": "a"}).status for key in keys]
    assert statuses == [202, 429]


def test_a_malformed_request_does_not_count(locked: Client, key_store: KeyStore) -> None:
    key, _ = key_store.create("acme", Limits(per_minute=1))
    holder = Client(locked.url, key.text)
    assert holder.post(b"{").status == 400
    assert holder.post({"url": URL, "tenant": "other"}).status == 422
    assert holder.post({"url": URL}).status == 202


def test_workers_count_what_captures_cost(cloud: Cloud, noon: FakeClock) -> None:
    # Given a page that takes two seconds, one that fails after three, and one that times out after four
    def take() -> None:
        noon.advance(ends[0][0])
        if error := ends.pop(0)[1]:
            raise error

    ends: list[tuple[int, CaptureError | None]] = [
        (2, None),
        (3, SelectorNotFound("no such element")),
        (4, CaptureTimeout("too slow")),
    ]
    usage = UsageBook(cloud.table, noon)
    meter = UsageMeter(usage)
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(take), noon)
    requests = [CaptureRequest(url=URL, request_id=f"acme:{name}", tenant="acme") for name in "abc"]
    # When all are processed, and the first comes again
    outcomes = [worker.process(message(each, f"m-{n}"), FakeContext()) for n, each in enumerate(requests)]
    outcomes.append(worker.process(message(requests[0], "m-3"), FakeContext()))
    for outcome in outcomes:
        meter(outcome)
    # Then the tenant has one capture, and pays for what failed as well
    assert [each.kind.value for each in outcomes] == ["captured", "failed", "retry", "skipped"]
    found = usage.read("acme")
    assert found.captures == 1
    assert found.usd == pytest.approx(lambda_usd(2 + 3 + 4, 2048, worker_architecture()), rel=1e-3)
    # And a request of nobody is not counted
    ends.append((1, None))
    meter(worker.process(message(CaptureRequest(url=URL, request_id="c"), "m-9"), FakeContext()))
    items = cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name)["Items"]
    assert [each["id"]["S"] for each in items if each["id"]["S"].startswith("usage#")] == ["usage#acme#2096-11"]


def test_a_tenant_that_has_spent_its_month_is_refused_until_the_next(
    locked: Client, key_store: KeyStore, cloud: Cloud
) -> None:
    # Given a tenant that may spend 0.01 USD
    key, _ = key_store.create("acme", Limits(usd_per_month=0.01))
    holder = Client(locked.url, key.text)
    services_of(cloud).usage.add("acme", 3, 0.0099)
    assert holder.post({"url": URL, "requestId": "a"}).status == 202
    # When it has spent them, then it is refused until the month ends
    services_of(cloud).usage.add("acme", 1, 0.0001)
    refused = holder.post({"url": URL, "requestId": "b"})
    assert refused.problem[:2] == (429, "QUOTA_EXCEEDED")
    assert "0.01 USD a month" in refused.problem[2]
    assert int(refused.headers["Retry-After"]) <= 31 * 24 * 3600
    assert cloud.find_record("acme:b") is None


def test_usage_is_told_to_the_tenant_and_all_of_it_to_the_operator(
    locked: Client, client: Client, key_store: KeyStore, cloud: Cloud
) -> None:
    # Given two tenants that have used something
    keys = {name: key_store.create(name, Limits(per_minute=5, usd_per_month=50))[0].text for name in ("acme", "zeta")}
    services_of(cloud).usage.add("acme", 2, 0.125)
    Client(locked.url, keys["acme"]).post({"url": URL})
    # When one of them asks, then it sees its own
    (own,) = Client(locked.url, keys["acme"]).get("/v1/usage").json["items"]
    assert (own["tenant"], own["captures"], own["usd"], own["usdPerMonth"]) == ("acme", 2, 0.125, 50)
    assert (own["minute"]["used"], own["minute"]["limit"]) == (1, 5)
    assert "day" not in own
    # And who sees the whole deployment sees both
    found = client.get("/v1/usage").json["items"]
    assert [(each["tenant"], each["captures"]) for each in found] == [("acme", 2), ("zeta", 0)]


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2026-11-30T23:59:59", 1),
        ("2026-12-31T23:59:00", 60),
        ("2027-02-01T00:00:00", 28 * 24 * 3600),
    ],
)
def test_a_month_ends_when_the_next_one_begins(moment: str, seconds: int) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert seconds_to_next_month(int(now.timestamp() * 1000)) == seconds
