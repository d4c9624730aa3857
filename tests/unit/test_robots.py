"""robots.txt by RFC 9309, with the RFC's own examples."""

from __future__ import annotations

import pytest

from stillframe_cli.site.fetcher import Fetched, NotFetched, TooManyRedirects
from stillframe_cli.site.robots import MAX_BYTES, MAX_DELAY_SECONDS, Robots, read_robots
from stillframe_cli.site.robots_book import RobotsBook

HOST = "https://example.com"
# RFC 9309, 5.1, with our token in the place of `FooBot`.
SIMPLE = """User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""
# RFC 9309, 5.2.
LONGEST = """User-Agent: stillframe
Allow: /example/page/
Disallow: /example/page/disallowed.gif
"""


def allows(text: str, path: str) -> bool:
    return Robots(text).allows(HOST + path)


@pytest.mark.parametrize(
    ("agent", "path", "is_allowed"),
    [
        ("nobody", "/a.gif", False),
        ("nobody", "/a.gif?x", True),
        ("nobody", "/example/page.html", False),
        ("nobody", "/publications/", True),
        ("foobot", "/", False),
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("foobot", "/publications/", False),
        ("barbot", "/example/page.html", False),
        ("barbot", "/example/a.gif", True),
        ("bazbot", "/example/page.html", False),
        ("quxbot", "/example/page.html", True),
    ],
)
def test_the_simple_example(agent: str, path: str, is_allowed: bool) -> None:
    assert allows(SIMPLE.replace(agent, "StillFrame"), path) is is_allowed


def test_the_longest_match_decides() -> None:
    assert allows(LONGEST, "/example/page/a.gif")
    assert not allows(LONGEST, "/example/page/disallowed.gif")
    # Of equal ones, allow (RFC 9309, 2.2.2)
    assert allows("User-agent: *\nDisallow: /a\nAllow: /a", "/a")


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        # RFC 9309, 2.2.2: percent-encoding.
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%E3%83%84", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        # RFC 9309, 2.2.3: special characters.
        ("/this/path/exactly$", "/this/path/exactly"),
        ("/this/*/exactly", "/this/or/that/exactly"),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html"),
        ("/path/foo-%24", "/path/foo-$"),
    ],
)
def test_the_examples_of_special_characters(rule: str, path: str) -> None:
    assert not allows(f"User-agent: *\nDisallow: {rule}", path)


@pytest.mark.parametrize(
    ("line", "is_ours"),
    [
        ("User-agent: Stillframe", True),
        ("user-AGENT:stillframe # us", True),
        ("User-agent: Stillframe/2.0", True),
        ("User-agent: Stillframe*", False),
        ("User-agent: Still", False),
        ("User-agent: Stillframe-News", False),
        ("User-agent: MyStillframe", False),
        ("User-agent: Googlebot", False),
    ],
)
def test_only_our_own_token_is_ours(line: str, is_ours: bool) -> None:
    assert allows(f"{line}\nDisallow: /", "/a") is not is_ours


def test_groups_of_one_crawler_are_one_and_ours_replaces_that_of_all() -> None:
    # Given the example of RFC 9309, 2.2.1
    text = "user-agent: Stillframe\ndisallow: /x\n\nuser-agent: *\ndisallow: /y\n\nuser-agent: stillframe\ndisallow: /z"
    # Then both of ours are regarded, and the one for all others is not
    assert [allows(text, path) for path in ("/x", "/y", "/z")] == [False, True, False]


@pytest.mark.parametrize(
    "text", ["", "\ufeff", "<html>not found</html>", "Disallow: /", "\x00\xff", "User-agent\nDisallow"]
)
def test_what_says_nothing_allows_everything(text: str) -> None:
    assert allows(text, "/a")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("86400", MAX_DELAY_SECONDS), ("-1", 0.0), ("nan", 0.0), ("x", 0.0)],
)
def test_the_delay_is_bounded(value: str, seconds: float) -> None:
    assert Robots(f"User-agent: *\nCrawl-delay: {value}").delay_seconds == seconds


def test_sitemaps_are_named_for_all_crawlers() -> None:
    text = "Sitemap: https://example.com/1.xml\nUser-agent: other\nDisallow: /\nsitemap: https://cdn.example/2.xml"
    assert Robots(text).sitemaps == ["https://example.com/1.xml", "https://cdn.example/2.xml"]


class FakeFetcher:
    """Answers with what it is given."""

    def __init__(self, answer: Fetched | Exception) -> None:
        self._answer = answer
        self.urls: list[str] = []

    def fetch(self, url: str, max_bytes: int) -> Fetched:
        self.urls.append(url)
        assert max_bytes == MAX_BYTES
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


CLOSED = b"User-agent: *\nDisallow: /"


@pytest.mark.parametrize(
    ("answer", "is_allowed"),
    [
        # RFC 9309, 2.3.1.
        (Fetched(200, CLOSED, False), False),
        (Fetched(404, CLOSED, False), True),
        (Fetched(403, b"", False), True),
        (Fetched(429, b"", False), True),
        (Fetched(304, b"", False), True),
        (Fetched(500, b"", False), False),
        (Fetched(503, b"", False), False),
        (NotFetched("no answer in time"), False),
        (TooManyRedirects("more than 5 redirects"), True),
        # A line that was cut off is another rule.
        (Fetched(200, b"User-agent: *\nDisallow: /", True), True),
        (Fetched(200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /", False), False),
    ],
)
def test_an_answer_that_is_no_file_has_its_meaning(answer: Fetched | Exception, is_allowed: bool) -> None:
    fetcher = FakeFetcher(answer)
    assert read_robots(fetcher.fetch, HOST).allows(f"{HOST}/a") is is_allowed
    assert fetcher.urls == [f"{HOST}/robots.txt"]


def test_each_origin_is_read_once() -> None:
    # Given rules of one origin that an earlier start has read
    read: list[str] = []
    remembered: list[str] = []

    def read_one(origin: str) -> Robots:
        read.append(origin)
        return Robots(CLOSED.decode())

    book = RobotsBook(read_one, {HOST: Robots("")}, lambda origin, _: remembered.append(origin), ignores=False)
    # When pages of two origins are asked for
    asked = [book.allows(f"{HOST}/a"), book.allows("http://example.com/a"), book.allows("http://example.com/b")]
    # Then only the other one is read, and remembered
    assert asked == [True, False, False]
    assert read == remembered == ["http://example.com"]


def test_ignored_rules_disallow_and_delay_nothing() -> None:
    rules = Robots("User-agent: *\nDisallow: /\nCrawl-delay: 9\nSitemap: https://example.com/s.xml")
    book = RobotsBook(lambda _: rules, {}, lambda *_: None, ignores=True)
    assert book.allows(f"{HOST}/a")
    assert book.delay_seconds(f"{HOST}/a") == 0
    assert book.of(f"{HOST}/a").sitemaps == ["https://example.com/s.xml"]
