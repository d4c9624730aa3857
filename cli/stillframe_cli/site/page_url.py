"""The one form of a page's URL: spellings that mean the same page are one page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import quote, unquote_plus, urlsplit

from stillframe.egress.hosts import DEFAULT_PORTS, canonical_host
from stillframe.egress.policy import PAGE_SCHEMES

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
# What may stand unencoded in a path; in a query, the question mark as well (RFC 3986, 3.3 and 3.4).
PATH_CHARS = UNRESERVED + "!$&'()*+,;=:@/"
QUERY_CHARS = PATH_CHARS + "?"
ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|.", re.DOTALL)


def normalize(url: str, ignored_queries: Sequence[str] = ()) -> str:
    """The URL in its normal form (RFC 3986, 6.2.2 and 6.2.3), without a fragment.

    Host and scheme are in lower case, the default port and an empty query are left out, dot segments are removed, and
    percent-encoding is there where it is needed and only there. The query is kept, except for the parameters whose name
    matches one of `ignored_queries` (`utm_*`). Raises ValueError for what is no URL of a page, or has a name or
    password in it; the message does not quote the URL.
    """
    if any(char.isspace() or not char.isprintable() for char in url):
        raise ValueError("the URL contains white space or control characters")
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in PAGE_SCHEMES:
        raise ValueError("the URL is neither http nor https")
    if "@" in parts.netloc:
        raise ValueError("the URL contains a name or password")
    host = canonical_host(parts.hostname or "")
    if not host:
        raise ValueError("the URL has no host")
    path = remove_dot_segments(_encode(parts.path, PATH_CHARS)) or "/"
    query = _without(_encode(parts.query, QUERY_CHARS), ignored_queries)
    return f"{scheme}://{_authority(host, parts.port, scheme)}{path}{f'?{query}' if query else ''}"


def matches(text: str, patterns: Sequence[str]) -> bool:
    """Whether a text matches one of the patterns as a whole. `*` stands for anything, all else for itself."""
    return any(fnmatchcase(text, each.replace("[", "[[]").replace("?", "[?]")) for each in patterns)


def authority_of(url: str) -> str:
    """Host and port of a normal URL, without the port if it is the scheme's own."""
    return urlsplit(url).netloc


def origin_of(url: str) -> str:
    """Scheme, host and port of a normal URL: `https://example.com` (RFC 6454)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def path_of(url: str) -> str:
    """Path and query of a normal URL."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def remove_dot_segments(path: str) -> str:
    """A path without `.` and `..` (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == ".." and len(kept) > 1:
            kept.pop()
        elif segment not in (".", ".."):
            kept.append(segment)
    if segments[-1] in (".", "..") and kept[-1:] != [""]:
        kept.append("")
    joined = "/".join(kept)
    return joined if joined or not path.startswith("/") else "/"


def _authority(host: str, port: int | None, scheme: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port in (None, DEFAULT_PORTS[scheme]) else f"{name}:{port}"


def _encode(text: str, allowed: str) -> str:
    def one(found: re.Match[str]) -> str:
        part = found[0]
        if len(part) == 3:
            char = chr(int(part[1:], 16))
            return char if char in UNRESERVED else part.upper()
        return part if part in allowed else quote(part, safe="", errors="replace")

    return ENCODED.sub(one, text)


def _without(query: str, ignored: Sequence[str]) -> str:
    if not ignored or not query:
        return query
    kept = [part for part in query.split("&") if not matches(_name(part), ignored)]
    return "&".join(kept)


def _name(parameter: str) -> str:
    return unquote_plus(parameter.partition("=")[0])
