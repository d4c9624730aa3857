"""Watches on a real queue, table and bucket: each period is captured once, and what was missed is known."""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillframe.archive import Archive
from stillframe.errors import ServiceUnavailable
from stillframe.intake import Intake
from stillframe.refused import Refused
from stillframe.table.record import Status
from stillframe.watches.declared import Declared
from stillframe.watches.history import History
from stillframe.watches.store import UnknownWatch, WatchStore
from stillframe_cli.auditor import Auditor
from stillframe_cli.findings import Finding, FindingKind
from stillframe_cli.poller import Poller
from stillframe_cli.watching.scheduler import Scheduler, delay_ms
from stillframe_renderer.message.batch import BatchHandler
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeRenderer, capture_with, fixed_tabs
from tests.support.workers import ROOT, STILLFRAME, environment, wait_for

from .test_serve import start, stop, url_of

URLS = [f"https://example.com/{name}" for name in ("shoes", "hats", "coats")]
HOUR_MS = 3_600_000
SEED = 25


def declared(name: str = "shop", **values: Any) -> Declared:
    return Declared.of(name, {"urls": URLS, "every": "1h", **values})


class Service:
    """Schedulers that come and go, and a worker whose browser is not real."""

    def __init__(self, cloud: Cloud, clock: FakeClock) -> None:
        self.cloud, self.clock = cloud, clock
        self.store = WatchStore(cloud.clients, cloud.settings, clock)
        self.renderer = FakeRenderer()
        capture = capture_with(cloud.clients, cloud.settings, self.renderer, clock)
        handler = BatchHandler(capture, [], fixed_tabs(4), clock)
        self._poller = Poller(cloud.clients, cloud.settings, handler.handle)

    def scheduler(self) -> Scheduler:
        return Scheduler(self.store, Intake(self.cloud.clients, self.cloud.settings, self.clock), self.clock)

    def work(self) -> None:
        while self._poller.poll(0):
            pass

    def findings(self) -> list[Finding]:
        found: list[Finding] = []
        Auditor(self.cloud.clients, self.cloud.settings, clock=self.clock).audit(found.append)
        return found


@pytest.fixture
def service(cloud: Cloud) -> Service:
    return Service(cloud, FakeClock())


def test_in_a_week_each_period_is_captured_once_whatever_becomes_of_the_schedulers(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a watch of three pages, hourly, and two schedulers that are replaced now and then
    drawn, clock = random.Random(SEED), service.clock
    watch, begun_ms = service.store.declare(declared(spread=10)), clock.ms
    schedulers = [service.scheduler(), service.scheduler()]
    fail_sometimes(service, monkeypatch, drawn)
    # When a week passes, in which sending fails one time in five
    while clock.ms < begun_ms + 7 * 24 * HOUR_MS:
        clock.advance(drawn.randrange(60, 900))
        for number in range(2):
            if drawn.random() < 0.1:
                schedulers[number] = service.scheduler()
            try:
                schedulers[number].tick()
            except ServiceUnavailable:
                continue
        service.work()
    # Then each period of each page that has been over for long was captured, and none twice
    for url in URLS:
        periods = watch.periods(url, begun_ms, clock.ms - HOUR_MS)
        records = History(Archive(service.cloud.clients, service.cloud.settings)).of(watch, url, begun_ms, periods[-1])
        assert len(periods) in (166, 167)
        assert Counter(each.state for each in records) == {Status.SUCCESS.value: len(periods)}
    versions = service.cloud.versions()
    assert len(versions) == len(set(versions)) == len(service.renderer.rendered)
    assert [each for each in service.findings() if each.kind is FindingKind.MISSED] == []


def fail_sometimes(service: Service, monkeypatch: pytest.MonkeyPatch, drawn: random.Random) -> None:
    """One time in five, the queue takes no messages, or takes them and does not say so."""
    real = service.cloud.clients.sqs.send_message_batch

    def send(**arguments: Any) -> Any:
        fate = drawn.random()
        if fate < 0.1:
            raise ServiceUnavailable("send message batch: injected")
        answer = real(**arguments)
        if fate < 0.2:
            raise ServiceUnavailable("send message batch: the answer is lost")
        return answer

    monkeypatch.setattr(service.cloud.clients.sqs, "send_message_batch", send)


def test_what_nobody_sent_is_named_by_the_audit_and_never_captured_later(service: Service) -> None:
    # Given a watch, and a scheduler that was off for five hours after the first one
    watch, begun_ms = service.store.declare(declared()), service.clock.ms
    for hours in (1, 5, 1):
        service.clock.advance(hours * 3600)
        service.scheduler().tick()
        service.work()
    # When the audit runs an hour later
    service.clock.advance(3600)
    missed = [each for each in service.findings() if each.kind is FindingKind.MISSED]
    # Then it names the four hours of each page, and the hour in which the scheduler came back is not among them
    over = [begun_ms + hour * HOUR_MS for hour in (2, 3, 4, 5)]
    assert {each.id for each in missed} == {watch.request(url, at_ms).id for url in URLS for at_ms in over}
    assert len(service.renderer.rendered) == 3 * len(URLS)
    # And a period that is not over yet is due, not missed
    history = History(Archive(service.cloud.clients, service.cloud.settings))
    newest = next(history.of(watch, URLS[0], 0, service.clock.ms))
    assert (newest.at_ms, newest.state) == (begun_ms + 8 * HOUR_MS, "due")


def test_the_captures_of_a_period_are_spread_over_time(service: Service) -> None:
    # Given a watch whose captures may begin within half an hour
    watch = service.store.declare(declared(spread=30))
    delays = {url: delay_ms(watch.series(url), 30) for url in URLS}
    assert len(set(delays.values())) == len(URLS)
    assert max(delays.values()) < 30 * 60_000
    # When the period begins, and when the moment of the last page has come
    service.clock.ms = (service.clock.ms // HOUR_MS + 1) * HOUR_MS
    scheduler = service.scheduler()
    scheduler.tick()
    service.clock.ms += max(delays.values())
    scheduler.tick()
    service.work()
    # Then all are captured in the same period
    assert sorted(service.renderer.rendered) == sorted(URLS)


def test_a_clock_that_was_wrong_stops_nothing(service: Service) -> None:
    # Given a scheduler whose clock was a day ahead for a moment
    service.store.declare(declared())
    scheduler = service.scheduler()
    service.clock.advance(25 * 3600)
    assert scheduler.tick() == len(URLS)
    service.clock.advance(-24 * 3600)
    # When it is right again, and the next hour begins
    sent = [scheduler.tick()]
    service.clock.advance(3600)
    sent.append(scheduler.tick())
    # Then that period is sent, as if nothing had been
    assert sent == [len(URLS)] * 2


def test_two_who_change_a_watch_at_once_both_succeed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given somebody who changes a watch between another one's reading and writing
    service.store.declare(declared())
    other = WatchStore(service.cloud.clients, service.cloud.settings, service.clock)
    real = service.store._read
    between: list[Callable[[], Any]] = [lambda: other.declare(declared(every="2h"))]

    def read(name: str) -> Any:
        found = real(name)
        if between:
            between.pop()()
        return found

    monkeypatch.setattr(service.store, "_read", read)
    # When the watch is paused
    watch = service.store.pause("shop")
    # Then it has the other one's schedule, and is paused
    assert (watch.schedule.cron, watch.is_paused, watch.version) == ("0 */2 * * *", True, 3)
    # And whoever never gets through is told so
    between += [lambda: other.declare(declared(every="3h")), lambda: other.declare(declared(every="4h"))] * 5
    with pytest.raises(Refused, match="Somebody else is changing the watch shop"):
        service.store.declare(declared(every="1d"))


def test_a_watch_that_is_removed_is_listed_no_more_and_its_history_is_kept(service: Service) -> None:
    service.store.declare(declared())
    service.store.remove("shop")
    assert service.store.list() == []
    assert service.store.find("shop").is_removed
    with pytest.raises(UnknownWatch, match="no watch shop"):
        service.store.pause("shop")
    assert not service.store.declare(declared()).is_paused
    assert [watch.name for watch in service.store.list()] == ["shop"]


def run(exports: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STILLFRAME, *words], cwd=ROOT, env=environment(exports), capture_output=True, text=True, check=False
    )


def test_what_a_file_declares_is_what_runs(cloud: Cloud, tmp_path: Path) -> None:
    # Given a watch, and a file that declares two others
    added = run(cloud.exports, "watch", "add", "old", "https://example.com", "--every", "1h", "--compare")
    assert (added.returncode, "old: 1 page, next at" in added.stderr) == (0, True), added.stderr
    file = tmp_path / "watches.yaml"
    file.write_text(
        "watches:\n  shop: {urls: [https://example.com/a, https://example.com/b], every: 15m}\n"
        "  news: {urls: https://example.org/, cron: '30 6 * * *', timezone: Europe/Berlin}\n"
    )
    # When it is applied, twice
    for _ in range(2):
        applied = run(cloud.exports, "watch", "apply", str(file), "--json")
        assert applied.returncode == 0, applied.stderr
    # Then these are the watches
    listed = [json.loads(line) for line in run(cloud.exports, "watch", "list", "--json").stdout.splitlines()]
    assert [(each["name"], each["version"]) for each in listed] == [("news", 1), ("shop", 1)]
    # And a file with a mistake changes nothing
    file.write_text("watches:\n  shop: {urls: [https://example.com/a], every: 15m}\n  news: {every: 1h}\n")
    wrong = run(cloud.exports, "watch", "apply", str(file))
    assert (wrong.returncode, "news: urls:" in wrong.stderr) == (2, True), wrong.stderr
    assert len(run(cloud.exports, "watch", "list").stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("watch", "pause", "nobody"), 1, "There is no watch nobody."),
        (("watch", "add", "a b", "https://example.com", "--every", "1h"), 2, "the name must be"),
        (("watch", "add", "a", "https://example.com"), 2, "must have either every"),
        (("history", "nobody"), 1, "There is no watch nobody."),
        (("history", "https://example.com/"), 1, "No watch has the URL"),
    ],
)
def test_what_cannot_be_done_is_said(cloud: Cloud, words: tuple[str, ...], status: int, said: str) -> None:
    done = run(cloud.exports, *words)
    assert done.returncode == status
    assert said in done.stderr


def test_the_service_of_one_machine_captures_each_minute_and_tells_what_changed(
    site: str, chromium: str, tmp_path: Path
) -> None:
    # Given the service on this machine, and a page that is watched each minute
    variables = tmp_path / "env.sh"
    process = start("--allow-host", site, "--env-file", str(variables))
    try:
        url_of(process)
        page = f"http://{site}/colour?hex=00aa00"

        def shell(*words: str) -> list[dict[str, Any]]:
            script = f'. "{variables}"; exec "$@"'
            done = subprocess.run(
                ["sh", "-c", script, "sh", *STILLFRAME, *words, "--json"],
                cwd=ROOT,
                env=environment({}),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            return [json.loads(line) for line in done.stdout.splitlines()]

        shell("watch", "add", "green", page, "--every", "1m", "--compare", "--width", "64", "--height", "48")
        # When a period has come
        wait_for(lambda: any(each["status"] == "success" for each in shell("history", "green")), 100, "a capture")
        # Then the history has it, by name and by URL, with an id that says when
        (captured,) = [each for each in shell("history", page) if each["status"] == "success"]
        assert captured["id"].endswith(f":{captured['period']}")
        assert (captured["watch"], captured["url"], captured["period"][-4:]) == ("green", page, ":00Z")
    finally:
        stop(process)


def test_a_removal_that_ended_half_way_can_be_repeated(service: Service) -> None:
    # Given a watch that was removed before all of its schedules in the account were
    service.store.declare(declared())
    removed = service.store.remove("shop")
    # When it is removed again, then it is the same, and no error in the way of what is left to do
    assert service.store.remove("shop") == removed
    # But one that never was is unknown
    with pytest.raises(UnknownWatch):
        service.store.remove("other")
