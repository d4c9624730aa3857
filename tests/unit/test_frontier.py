"""Which pages a crawl captures, in which order, and what it leaves out."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterable
from typing import Any

import pytest

from stillframe.image.page_link import PageLink
from stillframe_cli.site.discovery import Discovery
from stillframe_cli.site.frontier import Frontier, Limits, Page
from stillframe_cli.site.left_out import MAX_LISTED, MAX_REMEMBERED, MAX_REMEMBERED_CHARS, LeftOut, Reason
from stillframe_cli.site.robots import Robots
from stillframe_cli.site.robots_book import RobotsBook
from stillframe_cli.site.scope import MAX_URL_CHARS, Scope

SITE = "https://example.com"


def make(
    depth: int = 5, pages: int = 100, queries: int = 100, scope: Scope | None = None, follows_all: bool = False
) -> Frontier:
    frontier = Frontier(
        scope or Scope({SITE}),
        Limits(depth, pages, queries),
        lambda url: "/private" not in url,
        ("utm_*",),
        follows_all,
    )
    frontier.start(f"{SITE}/")
    return frontier


def links(*paths: str) -> list[PageLink]:
    return [PageLink(path if "://" in path else SITE + path) for path in paths]


def urls(frontier: Frontier) -> list[str]:
    return [page.url.removeprefix(SITE) for page in frontier.pages]


def test_each_page_is_there_once_however_it_is_written() -> None:
    frontier = make()
    frontier.add_links(
        frontier.pages[0], links("/a", "/a#x", "/b/../a", "/%61", "/a?utm_source=x", "https://EXAMPLE.com:443/a", "/a/")
    )
    assert urls(frontier) == ["/", "/a", "/a/"]
    assert frontier.pages[1] == Page(f"{SITE}/a", 1, f"{SITE}/")
    assert frontier.left_out.counts == {}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("https://elsewhere.example/", Reason.OUTSIDE),
        ("https://www.example.com/", Reason.OUTSIDE),
        ("http://example.com/", Reason.OUTSIDE),
        ("https://example.com:8443/", Reason.OUTSIDE),
        ("https://example.com.evil.example/", Reason.OUTSIDE),
        ("/a.pdf", Reason.FILE),
        ("/a.b/c.ZIP?x=1", Reason.FILE),
        (f"/{'a' * MAX_URL_CHARS}", Reason.TOO_LONG),
        ("/private/a", Reason.ROBOTS),
        ("/docs/old/a", Reason.EXCLUDED),
        ("/other", Reason.EXCLUDED),
        ("/docs/a", None),
        ("/docs/a.html", None),
        ("/docs/v1.2", None),
    ],
)
def test_what_is_left_out_has_a_reason(path: str, reason: Reason | None) -> None:
    frontier = make(scope=Scope({SITE}, include=["/docs/*", "*private*", "/a*"], exclude=["/docs/old/*"]))
    frontier.add_links(frontier.pages[0], links(path))
    assert frontier.left_out.counts == ({reason: 1} if reason else {})
    assert len(frontier.pages) == (1 if reason else 2)


def test_more_hosts_may_belong_to_the_site() -> None:
    frontier = make(scope=Scope({SITE}, frozenset({"docs.example.com", "example.com:8080"})))
    found = ("https://docs.example.com/a", "http://docs.example.com/b", "http://example.com:8080/c")
    frontier.add_links(frontier.pages[0], links(*found, "https://docs.example.com:1/"))
    assert urls(frontier) == ["/", *found]


def test_the_limits_of_depth_number_and_queries() -> None:
    frontier = make(depth=1, pages=4, queries=2)
    frontier.add_links(frontier.pages[0], links("/q?1", "/q?2", "/q?3", "/a", "/b", "/c"))
    frontier.add_links(frontier.pages[1], links("/deeper", "/q?1"))
    assert urls(frontier) == ["/", "/q?1", "/q?2", "/a"]
    assert frontier.left_out.counts == {Reason.DEPTH: 1, Reason.QUERIES: 1, Reason.MAX: 2}


def test_a_link_that_may_be_followed_is_enough() -> None:
    frontier = make()
    frontier.add_links(frontier.pages[0], [PageLink(f"{SITE}/a", True), PageLink(f"{SITE}/b", True)])
    assert frontier.left_out.counts == {Reason.NOFOLLOW: 2}
    frontier.add_links(frontier.pages[0], links("/a"))
    assert (urls(frontier), frontier.left_out.counts) == (["/", "/a"], {Reason.NOFOLLOW: 1})
    # And on request each is
    all_of_them = make(follows_all=True)
    all_of_them.add_links(all_of_them.pages[0], [PageLink(f"{SITE}/a", True)])
    assert urls(all_of_them) == ["/", "/a"]


def test_hostile_links_are_no_pages() -> None:
    frontier = make()
    hostile = (
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://ada:secret@example.com/",
        "http://[",
    )
    frontier.add_links(
        frontier.pages[0], [PageLink(url) for url in (*hostile, "https://example.com/a\nb", "", "\ud800")]
    )
    frontier.add_listed([*hostile, "nonsense"])
    assert (urls(frontier), frontier.left_out.to_wire()) == (["/"], {})


def test_what_is_left_out_is_bounded() -> None:
    left_out = LeftOut()
    for number in range(MAX_REMEMBERED + 10):
        left_out.add(f"{SITE}/{number}", Reason.MAX)
    wire = left_out.to_wire()["max"]
    assert (wire["count"], len(wire["urls"])) == (MAX_REMEMBERED, MAX_LISTED)


def test_what_is_left_out_is_bounded_by_its_length_too() -> None:
    left_out = LeftOut()
    for number in range(5000):
        left_out.add(f"{SITE}/{number}{'a' * 16_000}", Reason.OUTSIDE)
    assert sum(map(len, left_out.to_wire()["outside"]["urls"])) < MAX_REMEMBERED_CHARS
    assert 1000 < left_out.counts[Reason.OUTSIDE] < 1300


def test_an_id_follows_from_run_and_url() -> None:
    first = Page(f"{SITE}/a", 1, None)
    assert first.id("n") == Page(f"{SITE}/a", 7, "x").id("n")
    assert len({first.id("n"), first.id("m"), Page(f"{SITE}/b", 1).id("n")}) == 3
    assert len(first.id("n" * 64)) <= 128


# What pages link to, by page.
GRAPH = {number: [number * 3 + child for child in (1, 2, 3)] + [number // 2, number * 7 % 50] for number in range(200)}


def crawl(max_pages: int, depth: int, rng: random.Random) -> list[str]:
    """Discover the graph, with pages that end in any order."""
    scope = Scope()
    frontier = make(depth, max_pages, scope=scope)
    robots = RobotsBook(lambda _: Robots(""), {}, lambda *_: None, ignores=False)
    discovery = Discovery(
        frontier, scope, robots, lambda _urls, _wanted: [f"{SITE}/{number}" for number in (7, 150, 3)]
    )
    ended: set[str] = set()
    expanded = 0
    while expanded < len(frontier.pages):
        ended.add(rng.choice([page.url for page in frontier.pages if page.url not in ended] or [""]))
        while expanded < len(frontier.pages) and frontier.pages[expanded].url in ended:
            page = frontier.pages[expanded]
            number = int(page.url.rpartition("/")[2] or 0)
            found = links(*(f"/{each}" for each in GRAPH.get(number, [])))
            discovery.expand(page, {"outcome": "captured"}, functools.partial(list, found))
            expanded += 1
    return urls(frontier)


def test_the_order_does_not_depend_on_when_the_pages_end() -> None:
    # Given crawls whose pages end in different orders
    orders = [crawl(100, 6, random.Random(seed)) for seed in range(20)]
    # Then all of them have the same pages in the same order
    assert all(order == orders[0] for order in orders)
    assert len(orders[0]) == len(set(orders[0])) == 100
    # And a smaller one has the first of them
    assert crawl(30, 6, random.Random(1)) == orders[0][:30]
    shallow = crawl(100, 2, random.Random(2))
    assert shallow == orders[0][: len(shallow)]


def expand(result: dict[str, Any], hosts: frozenset[str] = frozenset(), listed: Iterable[str] = ()) -> Frontier:
    """A frontier after its start page has ended so."""
    scope = Scope(hosts=hosts)
    frontier = make(scope=scope)
    robots = RobotsBook(lambda _: Robots("Sitemap: https://cdn.example/s.xml"), {}, lambda *_: None, ignores=False)
    asked: list[list[str]] = []

    def read_listed(sitemaps: list[str], is_wanted: Any) -> list[str]:
        asked.append(sitemaps)
        return [url for url in listed if is_wanted(url)]

    discovery = Discovery(frontier, scope, robots, read_listed)
    discovery.expand(frontier.pages[0], result, lambda: links("/a", "https://www.example.com/b"))
    assert asked in ([], [["https://cdn.example/s.xml"]])
    return frontier


def test_the_site_is_where_the_start_page_has_ended() -> None:
    # Given a start page that redirects from example.com to www.example.com
    frontier = expand({"outcome": "captured", "finalUrl": "https://www.example.com/home"})
    # Then links to the latter are followed, and the page where it ended is not captured again
    assert urls(frontier) == ["/", "https://www.example.com/b"]
    frontier.add_links(frontier.pages[0], links("https://www.example.com/home"))
    assert len(frontier.pages) == 2


def test_sitemaps_follow_the_links_of_the_start_page() -> None:
    frontier = expand({"outcome": "captured"}, listed=[f"{SITE}/c", f"{SITE}/a", "https://elsewhere.example/", "x"])
    assert urls(frontier) == ["/", "/a", "/c"]
    assert frontier.pages[2] == Page(f"{SITE}/c", 1, "sitemap")
    assert frontier.left_out.counts == {Reason.OUTSIDE: 1}


@pytest.mark.parametrize(
    "result",
    [{"outcome": "failed"}, {"outcome": "captured", "httpStatus": 404}, {"outcome": "captured", "httpStatus": 503}],
)
def test_an_error_leads_nowhere(result: dict[str, Any]) -> None:
    assert urls(expand(result, listed=[f"{SITE}/c"])) == ["/"]


def test_a_page_that_ends_outside_of_the_site_leads_nowhere() -> None:
    # Given a site with a page that redirects out of it
    scope = Scope()
    frontier = make(scope=scope)
    discovery = Discovery(frontier, scope, RobotsBook(lambda _: Robots(""), {}, lambda *_: None, ignores=False), None)
    discovery.expand(frontier.pages[0], {"outcome": "captured"}, lambda: links("/out"))
    # When it ends there, with links back and forth
    discovery.expand(
        frontier.pages[1],
        {"outcome": "captured", "finalUrl": "https://elsewhere.example/"},
        lambda: links("/back", "https://elsewhere.example/x"),
    )
    # Then none of them is followed
    assert urls(frontier) == ["/", "/out"]


def test_a_page_that_another_has_led_to_is_not_captured_again() -> None:
    scope = Scope()
    frontier = make(scope=scope)
    discovery = Discovery(frontier, scope, RobotsBook(lambda _: Robots(""), {}, lambda *_: None, ignores=False), None)
    discovery.expand(frontier.pages[0], {"outcome": "captured"}, lambda: links("/old", "/known"))
    for page in frontier.pages[1:3]:
        moved = "/new" if page.url.endswith("old") else "/old"
        discovery.expand(page, {"outcome": "captured", "finalUrl": SITE + moved}, lambda: links("/new", "/x"))
    assert urls(frontier) == ["/", "/old", "/known", "/x"]
