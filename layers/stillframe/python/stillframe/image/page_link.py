"""The links of a page, as they are after its scripts have run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageLink:
    """Where a link leads to: an absolute http or https URL without a fragment and without credentials.

    `is_nofollow` says that the page asks crawlers not to follow it, by `rel=nofollow` or for all of its links.
    """

    url: str
    is_nofollow: bool = False


def to_json(links: Iterable[PageLink]) -> bytes:
    """Links as a file, which `from_json` reads."""
    values = [{"url": link.url, **({"nofollow": True} if link.is_nofollow else {})} for link in links]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def from_json(data: bytes) -> list[PageLink]:
    """The links of a file. Raises ValueError if it is none."""
    try:
        return [PageLink(str(each["url"]), bool(each.get("nofollow"))) for each in json.loads(data)]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a list of links: {error}") from error
