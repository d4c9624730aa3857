"""The request's cookies, in the form of the DevTools protocol."""

from __future__ import annotations

from typing import Any

from stillframe.request.options import RenderOptions
from stillframe.request.options.access import reveal


def cookies_of(options: RenderOptions, url: str) -> list[dict[str, Any]]:
    """The parameters of Network.setCookies. With a URL instead of a domain, a cookie belongs to that host only."""
    return [
        {
            "name": cookie.name,
            "value": reveal(cookie.value),
            "path": cookie.path,
            "secure": url.lower().startswith("https:") if cookie.secure is None else cookie.secure,
            "httpOnly": cookie.http_only,
            **({"domain": cookie.domain} if cookie.domain else {"url": url}),
            **({"sameSite": cookie.same_site.value} if cookie.same_site else {}),
        }
        for cookie in options.cookies
    ]
