"""Signed links: a URL to capture, its options, how fresh the image must be, and until when, under a signature.

    /v1/i/PAYLOAD/SIGNATURE
    PAYLOAD    base64url (RFC 4648, 5, without padding) of JSON in UTF-8: url, expires, and optionally the rest
    SIGNATURE  base64url of HMAC-SHA256 of the text `v1.PAYLOAD`

What is signed is the payload as it is in the link, byte for byte, so that there is no canonical JSON to agree on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Annotated, Any

from pydantic import Field, ValidationError

from stillframe.errors import InvalidRequest, UnparsableBody
from stillframe.link_keys import LinkKeys
from stillframe.refused import Refused
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.envelope import FreshFor
from stillframe.request.options.problems import describe_problems
from stillframe.request.options.wire import WireModel
from stillframe.tenants.limits import TenantName

# API Gateway takes 10,240 bytes of request line and headers together ("Quotas", HTTP API).
MAX_PAYLOAD_CHARS = 8000
# What separates these signatures from others under the same key, and from those of a later version.
DOMAIN = "v1."
DAY_SECONDS = 24 * 3600
# Options whose values are secrets: whoever sees a link can read them.
SECRET_OPTIONS = ("headers", "cookies", "basicAuth", "basic_auth")


class LinkRefused(Refused):
    """The signature of a link is wrong, or the link has expired."""

    code = "LINK_REFUSED"


class SignedLink(WireModel):
    """What a link says. `expires` is in seconds since the epoch, `fresh_for` in seconds."""

    url: str
    expires: Annotated[int, Field(ge=0, le=10**11, strict=True)]
    options: dict[str, Any] = Field(default_factory=dict)
    fresh_for: FreshFor = DAY_SECONDS
    tenant: TenantName | None = None

    def to_request(self) -> CaptureRequest:
        """The request for the present window. Raises InvalidRequest or UnparsableBody."""
        given = [name for name in SECRET_OPTIONS if name in self.options]
        if given:
            raise InvalidRequest(f"options: a link cannot have {given[0]}, which whoever sees the link could read")
        body = {"url": self.url, "options": self.options, "freshFor": self.fresh_for}
        return CaptureRequest.from_body(json.dumps(body))

    def path(self, key: bytes) -> str:
        """The path of the link, signed. Raises InvalidRequest if it would be too long."""
        text = json.dumps(self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True), ensure_ascii=False)
        payload = _encoded(text.encode())
        if len(payload) > MAX_PAYLOAD_CHARS:
            raise InvalidRequest(
                f"the link has {len(payload):,} characters, and at most {MAX_PAYLOAD_CHARS:,} may be sent"
            )
        return f"/v1/i/{payload}/{signature_of(payload, key)}"


def signature_of(payload: str, key: bytes) -> str:
    """The signature of a payload, which is the text in the link."""
    return _encoded(hmac.digest(key, (DOMAIN + payload).encode(), hashlib.sha256))


def verified(payload: str, signature: str, keys: LinkKeys, now_ms: int) -> SignedLink:
    """What a link says, if it is signed with one of the keys and has not expired.

    Nothing of it is read before that. Raises LinkRefused, UnparsableBody if whoever signed it wrote no link, or
    ServiceUnavailable.
    """
    if not (_is_signed(payload, signature, keys.valid()) or _is_signed(payload, signature, keys.refreshed())):
        raise LinkRefused("the signature of the link is wrong")
    try:
        raw = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        link = SignedLink.model_validate(raw)
    except ValidationError as error:
        given = raw if isinstance(raw, dict) else {}
        raise UnparsableBody(f"the link: {describe_problems(error, SignedLink, given, noun='a field')}") from error
    except (ValueError, binascii.Error, RecursionError) as error:
        raise UnparsableBody("the payload of the link is not JSON in base64url") from error
    if now_ms >= link.expires * 1000:
        raise LinkRefused("the link has expired")
    return link


def _is_signed(payload: str, signature: str, keys: tuple[bytes, ...]) -> bool:
    """Compare in constant time, and with every key, so that nobody learns how much of a signature is right."""
    if not (payload.isascii() and signature.isascii()):
        return False
    found = [hmac.compare_digest(signature_of(payload, key), signature) for key in keys]
    return any(found)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
