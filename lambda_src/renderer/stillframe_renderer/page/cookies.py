"""The request's cookies, as the DevTools protocol takes them."""

from __future__ import annotations

from typing import Any

from stillframe.request.options import RenderOptions
from stillframe.request.options.access import reveal


def cookies_of(options: RenderOptions, url: str) -> list[dict[str, Any]]:
    """Those without a domain are the host's alone: that is what a url instead of a domain says."""
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
