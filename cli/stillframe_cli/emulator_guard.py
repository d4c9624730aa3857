"""What a browser may ask of the emulator of this machine.

The emulator asks nobody for credentials and lets every site read its answers (`Access-Control-Allow-Origin: *`), and a
browser reaches it on behalf of any page that it shows. So it answers programs, pages of this machine, and presigned
links, to which the links of the API lead in pages of other sites.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from stillframe.egress.policy import is_local_name

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Names that nobody else can make resolve to loopback (DNS rebinding): those of AWS, which SDKs may send.
AWS_SUFFIX = ".amazonaws.com"
# In the query of a presigned link ("Authenticating Requests: Using Query Parameters (AWS Signature Version 4)").
SIGNATURE = b"x-amz-signature="
TEXT = b"only programs and pages of this machine may use the emulator"


def guarded(app: App) -> App:
    """The ASGI application without what pages of other sites send."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_own(dict(scope["headers"]), scope["method"], scope["query_string"]):
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(TEXT)).encode())]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else TEXT})

    return answer


def is_own(headers: dict[bytes, bytes], method: str, query: bytes) -> bool:
    """Whether a request is from a program, from a page of this machine, or for a presigned link.

    `headers` have names in lower case.
    """
    if not _is_own_host(f"//{headers.get(b'host', b'').decode('latin-1')}"):
        return False
    origin = headers.get(b"origin")
    if origin is not None:
        return origin.startswith(b"http") and _is_own_host(origin.decode("latin-1"))
    # An image has no Origin, and its address may be a call as well (`?Action=SendMessage`).
    is_foreign = headers.get(b"sec-fetch-site") == b"cross-site"
    return not is_foreign or (method == "GET" and SIGNATURE in query.lower())


def _is_own_host(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if "." not in host or is_local_name(host) or host.endswith(AWS_SUFFIX):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
