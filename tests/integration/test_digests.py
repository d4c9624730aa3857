"""Digests of watches on a real table and a real bus: one for each page and day, whatever becomes of who sends them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import boto3
import pytest

from stillframe.clients import connect_event_bus
from stillframe.errors import BlockedAddress, ServiceUnavailable
from stillframe.events import Event
from stillframe.watches.declared import Declared
from stillframe_cli.emulator import EVENT_SERVICES, Emulator, running_emulator
from stillframe_cli.provision import QueuePolicy
from stillframe_notifier.digester import Digester, DigestsUnsent
from stillframe_notifier.event_bus import EventBus
from stillframe_notifier.wiring import NotifierParts, wire_digester
from tests.support.cloud import Cloud
from tests.support.event_rules import EventRule
from tests.support.fakes import FakeClock

from .test_watches import HOUR_MS, URLS, Service, declared

DAY_MS = 24 * HOUR_MS
MIDNIGHT_MS = 1_799_971_200_000  # 2027-01-15T00:00:00Z
DIGESTS = {"source": ["stillframe"], "detail-type": ["Watch Digest"]}
SEED = 26


@pytest.fixture(scope="module")
def event_emulator() -> Iterator[Emulator]:
    with running_emulator(services=EVENT_SERVICES) as running:
        yield running


@pytest.fixture
def service(event_emulator: Emulator) -> Service:
    return Service(Cloud.create(event_emulator, QueuePolicy()), FakeClock(MIDNIGHT_MS))


@pytest.fixture
def rule(service: Service) -> EventRule:
    aws: Any = boto3
    return EventRule(aws.client, DIGESTS)


class Killed(BaseException):
    """The process ends."""


class UnluckyBus(EventBus):
    """Refuses half of the events, or takes them all from a process that ends right afterwards."""

    drawn = random.Random(SEED)
    fates: ClassVar[Counter[str]] = Counter()

    def send(self, events: Sequence[Event]) -> set[str]:
        fate = self.drawn.choice(("refused", "killed", "sent"))
        self.fates[fate] += 1
        if fate == "refused":
            half = len(events) // 2
            return super().send(events[:half]) | {event.id for event in events[half:]}
        unsent = super().send(events)
        if fate == "killed":
            raise Killed
        return unsent


def digester(service: Service, parts: NotifierParts | None = None) -> Digester:
    """A digester that has just started."""
    return wire_digester(service.cloud.settings, connect_event_bus(), service.cloud.clients, service.clock, parts=parts)


def pass_time(service: Service, hours: float, *digesters: Digester) -> None:
    """Let hours pass in steps of twenty minutes, in each of which everybody works."""
    scheduler = service.scheduler()
    for _ in range(int(hours * 3)):
        service.clock.advance(1200)
        scheduler.tick()
        service.work()
        for each in digesters:
            each.tick()


def told(rule: EventRule, count: int) -> dict[tuple[str, str], dict[str, Any]]:
    """The digests that were sent, by page and day. Fails if one has two ids."""
    found = [event["detail"] for event in rule.wait_for(count)]
    ids = {(each["url"], each["day"], each["eventId"]) for each in found}
    by_day = {(each["url"], each["day"]): each for each in found}
    assert len(ids) == len(by_day)
    return by_day


def test_each_page_has_a_digest_of_each_day(service: Service, rule: EventRule) -> None:
    # Given an hourly watch of three pages
    service.store.declare(declared())
    each = digester(service)
    # When two days and a half pass
    pass_time(service, 60, each)
    # Then each page has a digest of each of the two days, and each says what was captured
    found = told(rule, 6)
    assert set(found) == {(url, day) for url in URLS for day in ("2027-01-15", "2027-01-16")}
    first, second = found[URLS[0], "2027-01-15"], found[URLS[0], "2027-01-16"]
    # The watch began at midnight, so that the first period of its first day is that of one o'clock.
    assert (first["periods"], first["captured"], second["periods"], second["captured"]) == (23, 23, 24, 24)
    assert second["firstS3Url"] != second["lastS3Url"]
    # And each was sent once
    assert len(rule.receive()) == 6


def test_a_day_is_told_once_its_last_capture_has_ended(service: Service, rule: EventRule) -> None:
    # Given a watch whose last period of the day is still in the queue at midnight
    service.store.declare(declared(urls=[URLS[0]]))
    each = digester(service)
    pass_time(service, 22.7, each)
    service.clock.advance(1500)
    service.scheduler().tick()
    service.clock.advance(2 * 3600)
    assert each.tick() == 0
    # When it is captured
    service.work()
    # Then the digest is sent, with all of the day
    assert each.tick() == 1
    assert told(rule, 1)[URLS[0], "2027-01-15"]["captured"] == 23


def test_what_nobody_captures_for_six_hours_is_told_as_it_is(service: Service, rule: EventRule) -> None:
    # Given a watch whose worker stopped in the evening
    service.store.declare(declared(urls=[URLS[0]]))
    each = digester(service)
    pass_time(service, 20, each)
    scheduler = service.scheduler()
    for _ in range(4):
        service.clock.advance(3600)
        scheduler.tick()
    # When it is six hours and more after midnight
    told_after = []
    for _ in range(7):
        service.clock.advance(3600)
        told_after.append(each.tick())
    # Then the digest came then, and says that some periods were not finished
    assert told_after == [0, 0, 0, 0, 0, 0, 1]
    digest = told(rule, 1)[URLS[0], "2027-01-15"]
    assert (digest["periods"], digest["captured"], digest["missed"], digest["failed"]) == (23, 20, 0, 0)


def test_missed_and_failed_periods_are_told(service: Service, rule: EventRule) -> None:
    # Given a watch whose scheduler was off for five hours, and whose page cannot be captured afterwards
    service.store.declare(declared(urls=[URLS[0]]))
    each = digester(service)
    pass_time(service, 5, each)
    service.clock.advance(5 * 3600)

    def fail() -> None:
        raise BlockedAddress("the address is private")

    service.renderer.during = fail
    pass_time(service, 16, each)
    # When the day is over, then its digest says so
    digest = told(rule, 1)[URLS[0], "2027-01-15"]
    assert (digest["captured"], digest["missed"], digest["failed"]) == (5, 4, 14)
    assert digest["errorCodes"] == {"BLOCKED_ADDRESS": 14}


def test_a_week_has_one_digest_of_each_page_and_day_though_sending_fails(service: Service, rule: EventRule) -> None:
    # Given two digesters at once, of which either is replaced now and then, ends after sending, or cannot send
    service.store.declare(declared(every="6h"))
    parts, fates = NotifierParts(event_bus=UnluckyBus), UnluckyBus.fates
    # When a week passes
    scheduler = service.scheduler()
    digesters = [digester(service, parts) for _ in range(2)]
    while service.clock.ms < MIDNIGHT_MS + 7 * DAY_MS + 12 * HOUR_MS:
        service.clock.advance(3600)
        scheduler.tick()
        service.work()
        for number in range(2):
            try:
                digesters[number].tick()
            except DigestsUnsent:
                continue
            except Killed:
                digesters[number] = digester(service, parts)
    # Then each page has the digest of each day, always with one id and all its periods
    found = told(rule, 21)
    assert Counter(url for url, _ in found) == dict.fromkeys(URLS, 7)
    assert [each["periods"] for each in found.values()].count(4) == 18
    assert fates["refused"] > 1
    assert fates["killed"] > 1


def test_a_watch_that_cannot_be_told_of_keeps_no_other_from_it(
    service: Service, rule: EventRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given two watches, of which the first cannot be read
    for name in ("a", "b"):
        service.store.declare(Declared.of(name, {"urls": [URLS[0]], "every": "1h"}))
    each = digester(service)
    pass_time(service, 25)
    real = each._told.until

    def until(watch: str) -> int | None:
        if watch == "a":
            raise ServiceUnavailable("get item: injected")
        return real(watch)

    monkeypatch.setattr(each._told, "until", until)
    # When the digester ticks, then the other one is told of, and the failure is reported at the end
    with pytest.raises(DigestsUnsent, match="1 watches were not told of: a"):
        each.tick()
    assert [event["detail"]["watch"] for event in rule.wait_for(1)] == ["b"]


@pytest.mark.parametrize("cron", ["30 6 * * *", "0 20 * * *"])
def test_a_period_of_a_daily_watch_that_nobody_asked_for_is_missed_soon_after_midnight(
    service: Service, rule: EventRule, cron: str
) -> None:
    # Given a daily watch without a scheduler
    service.store.declare(Declared.of("shop", {"urls": [URLS[0]], "cron": cron}))
    each = digester(service)
    # When it is a quarter of an hour after midnight, and not before
    told_after = []
    for _ in range(25):
        service.clock.advance(3600)
        told_after.append(each.tick())
    # Then the digest says that the period was missed, although the next one has not begun
    assert told_after == [0] * 24 + [1]
    digest = told(rule, 1)[URLS[0], "2027-01-15"]
    assert (digest["periods"], digest["missed"]) == (1, 1)


def test_a_watch_that_takes_too_long_keeps_no_other_from_being_told_of(
    service: Service, rule: EventRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given two watches, of which the first takes a minute a page, and an invocation of three minutes
    service.store.declare(Declared.of("a", {"urls": URLS, "every": "1h"}))
    service.store.declare(Declared.of("b", {"urls": [URLS[0]], "every": "1h"}))
    each = digester(service)
    service.clock.advance(25 * 3600)
    real = each._history.past

    def past(watch: Any, *arguments: Any) -> Any:
        service.clock.advance(60 if watch.name == "a" else 0)
        return real(watch, *arguments)

    monkeypatch.setattr(each._history, "past", past)
    # When it is invoked, then the other one is told of, and the failure is reported
    with pytest.raises(DigestsUnsent, match="1 watches were not told of: a"):
        each.tick(180)
    assert [event["detail"]["watch"] for event in rule.wait_for(1)] == ["b"]


def test_a_page_that_is_under_way_is_asked_first_and_the_others_are_not_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a day of three pages, one of whose captures is still in the queue
    service.store.declare(declared())
    pass_time(service, 22.7)
    service.clock.advance(1500)
    service.scheduler().tick()
    service.clock.advance(2 * 3600)
    each = digester(service)
    read: list[str] = []
    real = each._history.past

    def past(watch: Any, url: str, *arguments: Any) -> Any:
        read.append(url)
        return real(watch, url, *arguments)

    monkeypatch.setattr(each._history, "past", past)
    # When the digester ticks again and again, then it reads that page alone
    for _ in range(4):
        assert each.tick() == 0
    assert read == [URLS[0]] * 4
    # And all of them once it is captured
    service.work()
    assert each.tick() == 3
