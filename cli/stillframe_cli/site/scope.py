"""What belongs to the site, by the text of a URL alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .left_out import Reason
from .page_url import authority_of, matches, origin_of, path_of

# Longer URLs than people use are mostly made by a page that adds to its own.
MAX_URL_CHARS = 2000
# What a browser downloads or shows in a viewer of its own: not a page.
FILE_SUFFIXES = frozenset(
    {
        "7z", "aac", "avi", "avif", "bin", "bmp", "bz2", "css", "csv", "deb", "dmg", "doc", "docx", "eot",
        "epub", "exe", "flac", "flv", "gif", "gz", "ico", "ics", "img", "iso", "jar", "jpeg", "jpg", "js",
        "json", "m4a", "m4v", "mjs", "mkv", "mov", "mp3", "mp4", "mpeg", "mpg", "msi", "odp", "ods", "odt",
        "ogg", "ogv", "otf", "pdf", "pkg", "png", "ppt", "pptx", "ps", "rar", "rpm", "rss", "rtf", "svg",
        "svgz", "tar", "tgz", "tif", "tiff", "ttf", "wasm", "wav", "weba", "webm", "webmanifest", "webp", "wmv",
        "woff", "woff2", "xls", "xlsx", "xml", "xz", "zip",
    }
)  # fmt: skip


@dataclass(slots=True)
class Scope:
    """Which URLs are pages of the site.

    `origins` have a scheme, `hosts` are `host` or `host:port` with either scheme. `include` and `exclude` are patterns
    for path and query, in which `*` stands for anything. What matches `exclude` is left out; if there is `include`, so
    is what matches none of it.
    """

    origins: set[str] = field(default_factory=set)
    hosts: frozenset[str] = frozenset()
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def contains(self, url: str) -> bool:
        """Whether a normal URL is one of the site, whatever it is."""
        return origin_of(url) in self.origins or authority_of(url) in self.hosts

    def refusal(self, url: str) -> Reason | None:
        """Why a normal URL is not captured, or None."""
        if not self.contains(url):
            return Reason.OUTSIDE
        if len(url) > MAX_URL_CHARS:
            return Reason.TOO_LONG
        if _suffix(url) in FILE_SUFFIXES:
            return Reason.FILE
        path = path_of(url)
        if (self.include and not matches(path, self.include)) or matches(path, self.exclude):
            return Reason.EXCLUDED
        return None


def _suffix(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2].rpartition(".")[2].lower()
