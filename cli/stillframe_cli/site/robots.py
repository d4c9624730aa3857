"""robots.txt as RFC 9309 defines it: which paths a site asks crawlers to leave out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from protego import Protego

from .fetcher import Fetch, NotFetched, TooManyRedirects

# Our product token (RFC 9309, 2.2.1).
PRODUCT_TOKEN = "Stillframe"  # noqa: S105  # names a crawler
# "A maximum MUST be at least 500 kibibytes" (RFC 9309, 2.5).
MAX_BYTES = 500 * 1024
# RFC 9309 does not have Crawl-delay. It is regarded up to here: no site can hold a crawl up for days.
MAX_DELAY_SECONDS = 30.0
AGENT_LINE = re.compile(r"(?i)^(\s*user-?\s?agent\s*:)\s*([A-Za-z_*-]*)[^#]*")
# A group that is for none of ours. Protego would take `still` for a part of our token.
OTHER = "other"
DISALLOW_ALL = "User-agent: *\nDisallow: /\n"


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one origin for us. `problem` says why there are none and everything is disallowed."""

    text: str
    problem: str = ""
    _rules: Protego = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        text = "\n".join(map(_with_own_token, (DISALLOW_ALL if self.problem else self.text).splitlines()))
        object.__setattr__(self, "_rules", Protego.parse(text))

    def allows(self, url: str) -> bool:
        """Whether a normal URL of this origin may be captured."""
        return bool(self._rules.can_fetch(url, PRODUCT_TOKEN))

    @property
    def delay_seconds(self) -> float:
        """How long to wait from one page to the next."""
        return min(self._rules.crawl_delay(PRODUCT_TOKEN) or 0.0, MAX_DELAY_SECONDS)

    @property
    def sitemaps(self) -> list[str]:
        """The URLs of the site's own sitemaps, as they are written."""
        return list(self._rules.sitemaps)


def read_robots(fetch: Fetch, origin: str) -> Robots:
    """The rules of an origin. A file that is not there allows everything; one that cannot be read, nothing.

    RFC 9309, 2.3.1: 4xx and too many redirects are "unavailable", 5xx and no answer are "unreachable".
    """
    try:
        answer = fetch(f"{origin}/robots.txt", MAX_BYTES)
    except TooManyRedirects:
        return Robots("")
    except NotFetched as error:
        return Robots("", error.reason)
    if answer.status >= 500:
        return Robots("", f"it answers {answer.status}")
    if not 200 <= answer.status < 300:
        return Robots("")
    text = answer.body.decode("utf-8-sig", errors="replace")
    # The end of a line that was cut off may have made it another rule.
    return Robots(text.rpartition("\n")[0] if answer.is_truncated else text)


def _with_own_token(line: str) -> str:
    """A line that names a crawler, with our token exactly if it is ours: only the token counts (RFC 9309, 2.2.1)."""
    found = AGENT_LINE.match(line)
    if found is None:
        return line
    agent = found[2]
    if agent == "*":
        return line
    return f"{found[1]} {PRODUCT_TOKEN if agent.lower() == PRODUCT_TOKEN.lower() else OTHER}"
