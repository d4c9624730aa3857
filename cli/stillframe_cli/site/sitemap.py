"""Sitemaps (sitemaps.org, version 0.9): the pages that a site lists itself."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from stillframe.request.capture_request import without_credentials

from .fetcher import Fetch, NotFetched

# "No more than 50,000 URLs and must be no larger than 50MB (52,428,800 bytes)", unpacked.
MAX_URLS = 50_000
MAX_BYTES = 52_428_800
# An index may name 50,000 sitemaps; so many are read, in so much time, for so many pages.
MAX_SITEMAPS = 100
MAX_SECONDS = 180.0
MAX_PAGES = 50_000
# `loc` is a child of `url` or `sitemap`. Extensions have a `loc` too, of images, and deeper.
LOC_DEPTH = 3
XML_START = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class Sitemap:
    """What one file says: pages, or other sitemaps. `problem` is what is wrong with the rest of it."""

    pages: list[str] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)
    problem: str = ""


def parse_sitemap(body: bytes) -> Sitemap:
    """Read a sitemap, or an index of sitemaps, in XML, or as a text with a URL on each line.

    A file that is damaged, or has more URLs than it may have, counts as far as it can be read.
    """
    if not body.lstrip()[:3].startswith(XML_START):
        lines = (line.strip() for line in body.decode("utf-8-sig", errors="replace").splitlines())
        return _limited([line for line in lines if line.startswith(("http://", "https://"))], [])
    pages: list[str] = []
    sitemaps: list[str] = []
    problem = ""
    try:
        for parent, url in _locs(body):
            (sitemaps if parent == "sitemap" else pages).append(url)
            if len(pages) + len(sitemaps) > MAX_URLS:
                break
    except ParseError as error:
        problem = f"is damaged ({error})"
    except DefusedXmlException:
        # Entities are how a small file becomes a large one, or another file of this machine.
        problem = "has a document type, which no sitemap has"
    found = _limited(pages, sitemaps)
    found.problem = found.problem or problem
    return found


def _locs(body: bytes) -> Iterable[tuple[str, str]]:
    """Each `loc` with the name of its parent. Raises ParseError or DefusedXmlException."""
    path: list[str] = []
    for event, element in iterparse(io.BytesIO(body), ("start", "end"), forbid_dtd=True):
        name = str(element.tag).rpartition("}")[2]
        if event == "start":
            path.append(name)
            continue
        if name == "loc" and len(path) == LOC_DEPTH and path[1] in ("url", "sitemap"):
            yield path[1], (element.text or "").strip()
        path.pop()
        if len(path) <= 1:
            # What was read would stay in memory until the end.
            element.clear()


def _limited(pages: list[str], sitemaps: list[str]) -> Sitemap:
    problem = f"has more than {MAX_URLS:,} URLs" if len(pages) + len(sitemaps) > MAX_URLS else ""
    return Sitemap(pages[:MAX_URLS], sitemaps[:MAX_URLS], problem)


class SitemapReader:
    """Reads sitemaps, and those that an index among them names."""

    def __init__(self, fetch: Fetch, note: Callable[[str], None]) -> None:
        """`note` is called with what is wrong with a sitemap, as a sentence for people."""
        self._fetch = fetch
        self._note = note

    def pages(self, urls: Iterable[str], is_wanted: Callable[[str], bool]) -> list[str]:
        """The pages that are wanted, in order, each once. A sitemap that is not there has none."""
        ends_at = monotonic() + MAX_SECONDS
        # An index names sitemaps, and no other index ("Sitemap index file").
        waiting = deque((url, True) for url in urls)
        seen: set[str] = set()
        pages: dict[str, None] = {}
        while waiting and len(pages) < MAX_PAGES:
            url, may_be_index = waiting.popleft()
            if url in seen:
                continue
            if len(seen) == MAX_SITEMAPS or monotonic() > ends_at:
                self._note(f"not all sitemaps are read: {MAX_SITEMAPS} of them, or {MAX_SECONDS:.0f} s, are the limit")
                break
            seen.add(url)
            sitemap = self._read(url)
            pages |= dict.fromkeys(filter(is_wanted, sitemap.pages))
            if may_be_index:
                waiting.extend((each, False) for each in sitemap.sitemaps)
        return list(pages)[:MAX_PAGES]

    def _read(self, url: str) -> Sitemap:
        try:
            answer = self._fetch(url, MAX_BYTES)
        except NotFetched as error:
            self._note(f"sitemap {without_credentials(url)}: {error.reason}")
            return Sitemap()
        if not 200 <= answer.status < 300:
            return Sitemap()
        sitemap = parse_sitemap(answer.body)
        if answer.is_truncated:
            sitemap.problem = f"is larger than {MAX_BYTES:,} bytes"
        if sitemap.problem:
            self._note(f"sitemap {without_credentials(url)}: {sitemap.problem}")
        return sitemap
