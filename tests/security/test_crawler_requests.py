"""What the crawler itself asks a hostile site for: nothing but what the egress policy allows, and never endlessly."""

from __future__ import annotations

import gzip
import ipaddress
import time
from collections.abc import Iterator, Sequence

import pytest

from stillframe.egress.addresses import Address
from stillframe.egress.policy import EgressPolicy
from stillframe_cli.site.fetcher import MAX_REDIRECTS, Fetcher, NotFetched, TooManyRedirects
from stillframe_cli.site.robots import read_robots
from stillframe_cli.site.sitemap import SitemapReader
from tests.security.attacks import HOSTS
from tests.support.canary import Canary, canaries
from tests.support.serving import QuietHandler, serving

SLOW_CHUNKS = 60
BOMB = gzip.compress(bytes(200_000_000), 1)


def lookup(host: str) -> Sequence[Address]:
    return [ipaddress.ip_address("127.0.0.1")] if host.endswith(".test") else []


class HostileSite(QuietHandler):
    """Redirects to wherever the query says, and answers in every other wrong way."""

    forbidden = ""
    # How often it has written a part of an answer.
    written = 0

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/to":
            self.answer(302, b"", Location=query)
        elif path == "/chain":
            left = int(query)
            self.answer(301, b"", Location=f"/chain?{left - 1}") if left else self.answer(200, b"end")
        elif path == "/loop":
            self.answer(307, b"", Location="/loop#again")
        elif path == "/bomb":
            self.answer(200, BOMB, **{"Content-Type": "application/gzip"})
        elif path == "/endless":
            self._trickle(b"x" * 65_536, 0.0, 100_000)
        elif path == "/slow":
            self._trickle(b"x", 0.05, SLOW_CHUNKS)
        elif path == "/index":
            urls = (f"http://{self.forbidden}/", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd")
            self.answer(
                200,
                "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
                .join(("<sitemapindex>", "</sitemapindex>"))
                .encode(),
            )
        elif path == "/robots.txt":
            self.answer(302, b"", Location=f"http://{self.forbidden}/robots.txt")
        else:
            self.answer(404, b"")

    def _trickle(self, chunk: bytes, pause: float, times: int) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(times):
            self.wfile.write(chunk)
            type(self).written += 1
            time.sleep(pause)


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with canaries(("127.0.0.1", "127.0.0.2", "::1")) as listening:
        HostileSite.forbidden = f"127.0.0.1:{listening.port}"
        yield listening


@pytest.fixture(scope="module")
def hostile(canary: Canary) -> Iterator[str]:
    with serving(HostileSite) as host:
        yield host


def fetcher(hostile: str, seconds: float = 5.0) -> Fetcher:
    return Fetcher(EgressPolicy.of([hostile]), lookup, seconds)


@pytest.mark.parametrize(
    "host", sorted({*HOSTS, "inward.test", "169.254.169.254", "metadata.google.internal", "[fd00::1]"})
)
def test_no_redirect_leads_to_a_forbidden_address(hostile: str, canary: Canary, host: str) -> None:
    # Given a site that redirects there, with a policy under which the port would not be the reason
    canary.hits.clear()
    allowing = Fetcher(EgressPolicy.of([hostile], ports=[canary.port]), lookup, 5.0)
    # When it is asked for a file
    with pytest.raises(NotFetched) as refused:
        allowing.fetch(f"http://{hostile}/to?http://{host}:{canary.port}/robots.txt", 1000)
    # Then nothing else was connected to, and the reason does not tell an address
    assert canary.hits == []
    assert "127.0.0.1" not in refused.value.reason


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://127.0.0.1/", "javascript:1", "gopher://127.0.0.1/", "http://", "//["],
)
def test_no_redirect_leads_to_another_scheme(hostile: str, url: str) -> None:
    with pytest.raises(NotFetched):
        fetcher(hostile).fetch(f"http://{hostile}/to?{url}", 1000)


@pytest.mark.parametrize("url", ["http://a/\r\nX-Injected: 1", "http://a/ HTTP/1.1\r\nHost: b", "http://a\x00/"])
def test_nothing_is_put_into_a_request(hostile: str, url: str) -> None:
    with pytest.raises(NotFetched, match="white space or control characters"):
        fetcher(hostile).fetch(url, 1000)


def test_as_many_redirects_are_followed_as_crawlers_should(hostile: str) -> None:
    assert fetcher(hostile).fetch(f"http://{hostile}/chain?{MAX_REDIRECTS}", 1000).body == b"end"
    for url in (f"chain?{MAX_REDIRECTS + 1}", "loop"):
        with pytest.raises(TooManyRedirects):
            fetcher(hostile).fetch(f"http://{hostile}/{url}", 1000)


@pytest.mark.parametrize("path", ["endless", "bomb"])
def test_no_more_is_read_than_there_may_be(hostile: str, path: str) -> None:
    # Given a body that never ends, and one of which a megabyte stands for two hundred
    answer = fetcher(hostile).fetch(f"http://{hostile}/{path}", 2_000_000)
    # Then what may be read is read, and it is said that there is more
    assert (len(answer.body), answer.is_truncated) == (2_000_000, True)


def test_a_body_that_comes_slowly_ends_in_time(hostile: str) -> None:
    HostileSite.written = 0
    with pytest.raises(NotFetched, match="no answer in time"):
        fetcher(hostile, 0.5).fetch(f"http://{hostile}/slow", 1000)
    # And nobody waits for its end
    assert HostileSite.written < SLOW_CHUNKS


def test_robots_that_lead_inside_disallow_everything(hostile: str, canary: Canary) -> None:
    canary.hits.clear()
    robots = read_robots(fetcher(hostile).fetch, f"http://{hostile}")
    assert not robots.allows(f"http://{hostile}/")
    assert "refused" in robots.problem
    assert canary.hits == []


def test_an_index_of_sitemaps_leads_to_no_forbidden_address(hostile: str, canary: Canary) -> None:
    canary.hits.clear()
    notes: list[str] = []
    pages = SitemapReader(fetcher(hostile).fetch, notes.append).pages([f"http://{hostile}/index"], lambda _: True)
    assert (pages, canary.hits) == ([], [])
    assert len(notes) == 3


def test_no_password_of_a_sitemap_is_shown() -> None:
    notes: list[str] = []
    SitemapReader(fetcher("127.0.0.1").fetch, notes.append).pages(["http://ada:secret@127.0.0.9/s.xml"], lambda _: True)
    assert len(notes) == 1
    assert "secret" not in notes[0]
