"""The crawl's loop: how many pages of a host are sent at once, after which delay, and what it does with refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from stillframe.errors import CaptureError, IdConflict
from stillframe.image.page_link import PageLink, to_json
from stillframe.table.record import Record, Status
from stillframe_cli.local.folder import OutputFolder
from stillframe_cli.local.results import SavedResults
from stillframe_cli.site.crawl import SILENCE_SECONDS, Crawl
from stillframe_cli.site.discovery import Discovery
from stillframe_cli.site.frontier import Frontier, Limits, Page
from stillframe_cli.site.page_results import PageResults
from stillframe_cli.site.robots import Robots
from stillframe_cli.site.robots_book import RobotsBook
from stillframe_cli.site.scope import Scope

SITE, OTHER = "https://example.com", "https://docs.example.com"
RUN = "r"


class FakeTime:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class FakeCaptures:
    """Pages that end as soon as somebody has waited, with the links that they are given; also the archive."""

    def __init__(self, links: dict[str, list[str]], refused: str = "") -> None:
        self._links = links
        self._refused = refused
        self.sent: list[list[str]] = []
        self.running: list[Page] = []
        self.max_running: Counter[str] = Counter()
        self.is_silent = False

    def send(self, pages: Sequence[Page]) -> list[tuple[Page, CaptureError]]:
        self.sent.append([page.url for page in pages])
        self.running += [page for page in pages if page.url != self._refused]
        hosts = Counter(page.url.split("/")[2] for page in self.running)
        self.max_running |= hosts
        return [(page, IdConflict.of(page.id(RUN))) for page in pages if page.url == self._refused]

    def ended(self, pages: Sequence[Page]) -> dict[Page, Record]:
        if self.is_silent:
            return {}
        ended, self.running = self.running, []
        return {
            page: Record(
                id=page.id(RUN),
                status=Status.SUCCESS,
                url=page.url,
                s3_key="k.png",
                bytes=5,
                extras={"links": page.url},
            )
            for page in ended
        }

    def image(self, _: Record) -> bytes:
        return b"image"

    def object_at(self, url: str) -> bytes:
        return to_json([PageLink(link) for link in self._links.get(url, [])])


Start = Callable[..., tuple[Crawl, FakeCaptures, list[dict[str, Any]]]]


@pytest.fixture
def clock() -> FakeTime:
    return FakeTime()


@pytest.fixture
def start(tmp_path: Path, clock: FakeTime) -> Start:
    def begin(
        links: dict[str, list[str]], per_host: int = 3, delay: int = 0, refused: str = ""
    ) -> tuple[Crawl, FakeCaptures, list[dict[str, Any]]]:
        folder = OutputFolder(tmp_path)
        results = PageResults(folder, SavedResults(folder), RUN)
        robots = RobotsBook(
            lambda _: Robots(f"User-agent: *\nCrawl-delay: {delay}"), {}, lambda *_: None, ignores=False
        )
        scope = Scope({SITE}, frozenset({"docs.example.com"}))
        frontier = Frontier(scope, Limits(9, 1000, 10), robots.allows)
        frontier.start(f"{SITE}/")
        saved: list[dict[str, Any]] = []
        discovery = Discovery(frontier, scope, robots, None)
        crawl = Crawl(frontier, discovery, results, robots, per_host, saved.append, clock.monotonic)
        return crawl, FakeCaptures(links, refused), saved

    return begin


def run(
    crawl: Crawl,
    captures: FakeCaptures,
    clock: FakeTime,
    rounds: int = 1000,
    on_silence: Callable[[], None] = lambda: None,
) -> bool:
    """Run at most so many rounds."""
    left = iter(range(rounds))

    def wait(seconds: float) -> None:
        clock.now += seconds

    return crawl.run(captures, captures, wait, lambda: next(left, None) is None, on_silence)  # type: ignore[arg-type]


MANY = {f"{SITE}/": [f"{SITE}/{n}" for n in range(20)] + [f"{OTHER}/{n}" for n in range(20)]}


def test_no_host_has_more_pages_running_than_it_may_have(start: Start, clock: FakeTime) -> None:
    crawl, captures, saved = start(MANY)
    assert run(crawl, captures, clock)
    assert captures.max_running == {"example.com": 3, "docs.example.com": 3}
    assert len(saved) == len({each["id"] for each in saved}) == 41


def test_pages_of_a_host_come_after_the_delay_that_it_asks_for(start: Start, clock: FakeTime) -> None:
    crawl, captures, saved = start(MANY, delay=10)
    began = clock.now
    assert run(crawl, captures, clock)
    # The hosts do not wait for each other, and the start page is the first of one of them
    assert len(saved) == 41
    assert 200 <= clock.now - began <= 225
    assert captures.max_running == {"example.com": 1, "docs.example.com": 1}


def test_a_page_that_is_refused_has_a_result(start: Start, clock: FakeTime) -> None:
    crawl, captures, saved = start(MANY, refused=f"{SITE}/7")
    assert run(crawl, captures, clock)
    (failed,) = [each for each in saved if each["outcome"] == "failed"]
    assert (failed["url"], failed["errorCode"], failed["foundOn"]) == (f"{SITE}/7", "ID_CONFLICT", f"{SITE}/")


def test_what_was_saved_is_not_sent_again(start: Start, clock: FakeTime) -> None:
    # Given a crawl that ends early
    crawl, captures, saved = start(MANY)
    assert not run(crawl, captures, clock, rounds=4)
    assert 0 < len(saved) < 41
    # When another one goes on in the same directory
    again, later, rest = start(MANY)
    assert run(again, later, clock)
    # Then each page was captured once by one of them
    assert len(saved) + len(rest) == 41
    assert {each["id"] for each in saved} & {each["id"] for each in rest} == set()
    # And a third one has nothing to do
    third, _, _ = start(MANY)
    assert third.replay()


@pytest.mark.parametrize("damage", ["image", "links", "half"])
def test_a_result_that_is_not_whole_is_captured_again(
    start: Start, clock: FakeTime, tmp_path: Path, damage: str
) -> None:
    # Given a run of which a file is missing or damaged
    crawl, captures, _ = start(MANY)
    run(crawl, captures, clock)
    if damage == "image":
        (tmp_path / "example-com-3.png").unlink()
    elif damage == "links":
        (tmp_path / "example-com-3.png.3").write_bytes(b"[{")
    else:
        results = tmp_path / "results.jsonl"
        results.write_bytes(results.read_bytes()[:-20])
    # When it goes on
    again, later, rest = start(MANY)
    assert run(again, later, clock)
    # Then that page is captured again, and no other one
    assert len(rest) == 1


def test_silence_is_told(start: Start, clock: FakeTime) -> None:
    told: list[float] = []
    crawl, captures, _ = start(MANY)
    captures.is_silent = True
    run(crawl, captures, clock, 400, lambda: told.append(clock.now))
    assert len(told) == pytest.approx((clock.now - 1000) / SILENCE_SECONDS, abs=1)
    assert len(told) > 1
