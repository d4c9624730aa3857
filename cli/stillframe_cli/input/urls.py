"""Completes what people type for a URL, such as `example.com`, and says what is wrong with what is no URL."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from urllib.parse import urlsplit

from stillframe.egress.hosts import canonical_host, parse_address
from stillframe.egress.policy import PAGE_SCHEMES

from .scheme_probe import SchemeProbe

WITH_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# Schemes that are written without slashes. Anything else before a colon is a host: `localhost:3000`.
BARE_SCHEME = re.compile(r"(about|blob|chrome|data|file|ftp|javascript|mailto|tel|view-source):", re.IGNORECASE)
MISSING_SLASHES = re.compile(r"(https?):/?(?!/)(?!\d+(?:/|$))(.+)", re.IGNORECASE)
HOST = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")
LIST_SUFFIXES = (".txt", ".jsonl", ".csv", ".json")
MIN_LIKENESS = 0.7


def complete_url(text: str, probe: SchemeProbe) -> str:
    """Return the URL that the text stands for. Raises ValueError with a sentence that says what to write instead.

    A URL with a scheme is returned as it is. A bare host gets https, or http where `probe` finds only that.
    """
    if re.search(r"\s", text):
        raise ValueError("contains a space: put each URL on a line of its own, and write %20 for a space in a URL")
    found = WITH_SCHEME.match(text)
    if found:
        return _check_scheme(text, found[1])
    if misspelt := MISSING_SLASHES.fullmatch(text):
        raise ValueError(f"is not a URL; did you mean {misspelt[1].lower()}://{misspelt[2]}?")
    if bare := BARE_SCHEME.match(text):
        raise ValueError(f"only http and https pages can be captured, not {bare[1].lower()}")
    _refuse_path(text)
    return _complete_host(text.removeprefix("//"), probe)


def _check_scheme(url: str, scheme: str) -> str:
    if scheme.lower() in PAGE_SCHEMES:
        return url
    near = difflib.get_close_matches(scheme.lower(), sorted(PAGE_SCHEMES, reverse=True), 1, MIN_LIKENESS)
    if near:
        raise ValueError(f"{scheme} is not a scheme; did you mean {near[0]}{url[len(scheme) :]}?")
    raise ValueError(f"only http and https pages can be captured, not {scheme.lower()}")


def _refuse_path(text: str) -> None:
    path = Path(text)
    try:
        is_file = path.is_file()
    except OSError:
        # A text that is too long for a name.
        return
    if is_file and path.suffix.lower() in LIST_SUFFIXES:
        raise ValueError(f"is a file; to capture the URLs in it, use --file {text}")
    if is_file or (text.startswith(("/", "./", "../", "~")) and not text.startswith("//")):
        raise ValueError(
            "is a path on this machine; serve its folder (python3 -m http.server 8000) and capture "
            f"http://localhost:8000/{path.name} with --allow-host localhost:8000"
        )


def _complete_host(text: str, probe: SchemeProbe) -> str:
    try:
        parts = urlsplit(f"//{text}")
        host, port = canonical_host(parts.hostname or ""), parts.port
    except ValueError as error:
        raise ValueError(f"is not a URL: {error}") from error
    shown = parts.netloc.rpartition("@")[2]
    if not host or not HOST.fullmatch(re.sub(r":\d*$", "", shown)):
        raise ValueError("is not a URL; expected https://example.com/page")
    is_name = parse_address(host) is None and host != "localhost"
    if is_name and "." not in host and port is None:
        raise ValueError(f"is not a URL; for a host of your own network, write http://{text}")
    return f"{probe.scheme_of(host, port)}://{text}"
