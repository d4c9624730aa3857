"""The page at `/` of `stillframe serve`: submit a URL, watch it arrive, look at the screenshot and its record."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Callable
from typing import Any

from .templates import environment

SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# Images come by a link to the embedded environment, which has an origin of its own.
POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: {images_origin}; style-src 'unsafe-inline'; "
    "script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


Handle = Callable[[dict[str, Any]], dict[str, Any]]


def with_live_page(handle: Handle, images_origin: str) -> Handle:
    """The same handler with the page at `/`, which shows images of `images_origin`."""

    def handle_or_show(event: dict[str, Any]) -> dict[str, Any]:
        is_get = event["requestContext"]["http"]["method"] in ("GET", "HEAD")
        return live_page(images_origin) if is_get and event["rawPath"] == "/" else handle(event)

    return handle_or_show


@functools.cache
def live_page(images_origin: str) -> dict[str, Any]:
    """The answer with the page, in the form that a function answers API Gateway."""
    body = environment().get_template("live.html.j2").render()
    script = SCRIPT.search(body)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    return {
        "statusCode": 200,
        "headers": {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": POLICY.format(digest=digest, images_origin=images_origin),
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
        "body": body,
    }
