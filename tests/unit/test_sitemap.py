"""Sitemaps by sitemaps.org, with its own example documents."""

from __future__ import annotations

import pytest

from stillframe_cli.site.fetcher import Fetched, NotFetched
from stillframe_cli.site.sitemap import MAX_SITEMAPS, MAX_URLS, SitemapReader, parse_sitemap

# https://www.sitemaps.org/protocol.html, "Sample XML Sitemap".
SAMPLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
   <url>
      <loc>http://www.example.com/</loc>
      <lastmod>2005-01-01</lastmod>
      <changefreq>monthly</changefreq>
      <priority>0.8</priority>
   </url>
   <url>
      <loc>http://www.example.com/catalog?item=12&amp;desc=vacation_hawaii</loc>
      <changefreq>weekly</changefreq>
   </url>
   <url>
      <loc>http://www.example.com/catalog?item=73&amp;desc=vacation_new_zealand</loc>
      <lastmod>2004-12-23</lastmod>
   </url>
</urlset>
"""
# "Sample XML Sitemap Index".
INDEX = b"""<?xml version="1.0" encoding="UTF-8"?>
<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
   <sitemap>
      <loc>http://www.example.com/sitemap1.xml.gz</loc>
      <lastmod>2004-10-01T18:23:17+00:00</lastmod>
   </sitemap>
   <sitemap>
      <loc>http://www.example.com/sitemap2.xml.gz</loc>
      <lastmod>2005-01-01</lastmod>
   </sitemap>
</sitemapindex>
"""
IMAGES = b"""<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> http://www.example.com/a </loc><i:image><i:loc>http://www.example.com/a.jpg</i:loc></i:image></url></urlset>"""
BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<urlset><url><loc>http://www.example.com/&b;</loc></url></urlset>"""
FOREIGN = b"""<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><url><loc>&a;</loc></url></urlset>"""


def test_the_sample_sitemap_is_read() -> None:
    found = parse_sitemap(SAMPLE)
    assert (found.sitemaps, found.problem) == ([], "")
    assert found.pages == [
        "http://www.example.com/",
        "http://www.example.com/catalog?item=12&desc=vacation_hawaii",
        "http://www.example.com/catalog?item=73&desc=vacation_new_zealand",
    ]


def test_the_sample_index_is_read() -> None:
    found = parse_sitemap(INDEX)
    assert (found.pages, found.problem) == ([], "")
    assert found.sitemaps == ["http://www.example.com/sitemap1.xml.gz", "http://www.example.com/sitemap2.xml.gz"]


@pytest.mark.parametrize(
    ("body", "pages", "problem"),
    [
        # "Text file".
        (b"http://www.example.com/catalog?item=1\nhttp://www.example.com/2\n", 2, ""),
        (b"\xef\xbb\xbfhttp://www.example.com/1\r\n\r\nnot a URL\r\n", 1, ""),
        (IMAGES, 1, ""),
        (b"\n \t" + SAMPLE.partition(b"?>")[2], 3, ""),
        (SAMPLE.decode().replace("UTF-8", "UTF-16").encode("utf-16"), 3, ""),
        # What comes before the damage counts.
        (SAMPLE[:400], 2, "is damaged"),
        (BOMB, 0, "document type"),
        (FOREIGN, 0, "document type"),
        (b"<html><body><loc>http://www.example.com/</loc></body></html>", 0, ""),
        (b"<urlset><url><loc/></url></urlset>", 1, ""),
        (b"", 0, ""),
        (b"\xff\xfe\x00", 0, "is damaged"),
    ],
)
def test_a_file_counts_as_far_as_it_can_be_read(body: bytes, pages: int, problem: str) -> None:
    found = parse_sitemap(body)
    assert len(found.pages) == pages
    assert problem in found.problem
    assert bool(problem) == bool(found.problem)


def test_no_file_has_more_urls_than_it_may_have() -> None:
    body = (
        b"<urlset>"
        + b"".join(b"<url><loc>http://e.com/%d</loc></url>" % n for n in range(MAX_URLS + 10))
        + b"</urlset>"
    )
    found = parse_sitemap(body)
    assert len(found.pages) == MAX_URLS
    assert "50,000" in found.problem


class FakeFetcher:
    """Has some files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files
        self.fetched: list[str] = []

    def fetch(self, url: str, max_bytes: int) -> Fetched:
        self.fetched.append(url)
        if url.endswith("broken"):
            raise NotFetched("no answer in time")
        body = self._files.get(url)
        return (
            Fetched(404, b"<urlset><url><loc>no</loc></url></urlset>", False)
            if body is None
            else Fetched(200, body, False)
        )


def text_of(*urls: str) -> bytes:
    return "\n".join(urls).encode()


def index_of(*urls: str) -> bytes:
    return f"<sitemapindex>{''.join(f'<sitemap><loc>{url}</loc></sitemap>' for url in urls)}</sitemapindex>".encode()


def test_an_index_leads_to_its_sitemaps_and_no_further() -> None:
    # Given an index that names a sitemap, itself, another index, and what is not there
    fetcher = FakeFetcher(
        {
            "http://e/index": index_of(
                "http://e/1", "http://e/index", "http://e/other", "http://e/gone", "http://e/broken"
            ),
            "http://e/1": text_of("http://e/a", "http://e/b", "http://elsewhere/x"),
            "http://e/other": index_of("http://e/deep"),
            "http://e/2": text_of("http://e/b", "http://e/c"),
        }
    )
    notes: list[str] = []
    # When it is read, and a sitemap after it
    pages = SitemapReader(fetcher.fetch, notes.append).pages(
        ["http://e/index", "http://e/2"], lambda url: "//e/" in url
    )
    # Then each page of the site is there once, those of the index after those of the list
    assert pages == ["http://e/b", "http://e/c", "http://e/a"]
    assert "http://e/deep" not in fetcher.fetched
    assert fetcher.fetched.count("http://e/index") == 1
    assert notes == ["sitemap http://e/broken: no answer in time"]


def test_no_more_sitemaps_are_read_than_there_may_be() -> None:
    fetcher = FakeFetcher({"http://e/index": index_of(*(f"http://e/{n}" for n in range(500)))})
    notes: list[str] = []
    SitemapReader(fetcher.fetch, notes.append).pages(["http://e/index"], lambda _: True)
    assert len(fetcher.fetched) == MAX_SITEMAPS
    assert len(notes) == 1
