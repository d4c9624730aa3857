"""Credentials sent to a page: headers, cookies, a password. Their values are secrets, given as text or by reference."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from .wire import WireModel

# How pydantic prints a secret.
REDACTED = str(SecretStr("secret"))

MAX_HEADERS = 32
MAX_COOKIES = 64
MAX_VALUE_CHARS = 4096

SECRET_ARN = re.compile(r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+\Z")
# token (RFC 9110, 5.6.2).
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")
# Headers that belong to the connection or have an option of their own.
RESERVED_HEADERS = frozenset(
    {"connection", "content-length", "cookie", "expect", "host", "http2-settings", "keep-alive", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "via", "origin", "referer"}
    # Headers that only servers send (RFC 6265, RFC 2965, RFC 9110, 11).
    | {"set-cookie", "set-cookie2", "cookie2", "www-authenticate", "authentication-info"}
)
OPTIONS_FOR_HEADERS = {"cookie": "cookies", "referer": "referer"}
# The limit for all headers and cookies together: with the URL and the browser's own headers, the head of a request has
# to fit the guard's limit of 128 KB.
MAX_TOTAL_BYTES = 64 * 1024
# The limit for the name and the value of a cookie together (RFC 6265bis, 5.6).
MAX_COOKIE_BYTES = 4096
# Prefixes of cookie names that require `secure` and more (RFC 6265bis, 4.1.3), in lower case.
HOST_PREFIXES = ("__host-",)
HTTP_PREFIXES = ("__http-", "__host-http-")
SECURE_PREFIXES = ("__secure-", *HOST_PREFIXES, *HTTP_PREFIXES)


class SecretReference(WireModel):
    """A value stored in AWS Secrets Manager; with `key`, a member of the JSON object stored there."""

    secret_arn: Annotated[str, Field(pattern=SECRET_ARN, description="the ARN of a secret in AWS Secrets Manager")]
    key: Annotated[str, Field(min_length=1, max_length=128)] | None = None


def _check_secret(value: SecretStr | SecretReference) -> SecretStr | SecretReference:
    if isinstance(value, SecretStr):
        check_sendable(value.get_secret_value())
    return value


def check_sendable(text: str) -> None:
    """Check that a secret is one line of printable ASCII, as headers and cookies require (RFC 9110, 5.5).

    Raises ValueError, which does not quote the text.
    """
    if len(text) > MAX_VALUE_CHARS:
        raise ValueError(f"is longer than {MAX_VALUE_CHARS} characters")
    if any(not 0x20 <= ord(char) < 0x7F for char in text):
        raise ValueError("contains characters other than printable ASCII; encode them")


Secret = Annotated[SecretStr | SecretReference, AfterValidator(_check_secret)]


def _check_header_names(headers: dict[str, Secret]) -> dict[str, Secret]:
    seen: set[str] = set()
    for name in headers:
        lower = name.lower()
        if not TOKEN.match(name):
            raise ValueError(f"{name[:40]!r} is not a valid header name")
        if lower in RESERVED_HEADERS or lower.startswith(("proxy-", "sec-")):
            hint = OPTIONS_FOR_HEADERS.get(lower, "")
            hint = f"; use the option {hint}" if hint else ""
            raise ValueError(f"headers.{name} cannot be set{hint}")
        if lower in seen:
            raise ValueError(f"headers.{name} is given twice")
        seen.add(lower)
    return headers


Headers = Annotated[dict[str, Secret], Field(max_length=MAX_HEADERS), AfterValidator(_check_header_names)]


class SameSite(StrEnum):
    """When a cookie is sent with requests from other sites (RFC 6265bis, 5.6.7)."""

    STRICT = "Strict"
    LAX = "Lax"
    NONE = "None"


def _as_browsers_write_it(value: object) -> object:
    """`lax` and `LAX` for `Lax`: browsers compare it without regard to case (RFC 6265bis, 5.6.7)."""
    return value.capitalize() if isinstance(value, str) else value


class Cookie(WireModel):
    """A cookie that is set before the page is requested. Without `domain` it belongs to the page's host only."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$",
            description="1 to 256 characters, without spaces and separators (RFC 6265, 4.1.1)",
        ),
    ]
    value: Secret
    domain: (
        Annotated[
            str,
            Field(pattern=r"^\.?[A-Za-z0-9-][A-Za-z0-9.-]{0,252}$", description="a domain like example.com"),
        ]
        | None
    ) = None
    path: Annotated[
        str,
        Field(
            pattern=r"^/[\x21-\x3a\x3c-\x7e]{0,1023}$",
            description="a path like /account of up to 1024 characters, without spaces and semicolons",
        ),
    ] = "/"
    secure: Annotated[bool, Field(strict=True)] | None = None
    http_only: Annotated[bool, Field(strict=True)] = False
    same_site: Annotated[SameSite, BeforeValidator(_as_browsers_write_it)] | None = None

    @model_validator(mode="after")
    def keep_reference_on_its_host(self) -> Self:
        """Refuse a domain for a referenced secret, which may only be sent to the host that it is granted for."""
        if isinstance(self.value, SecretReference) and self.domain is not None:
            raise ValueError(
                "domain and value.secretArn conflict: a cookie by reference belongs to the page's host only"
            )
        return self

    @model_validator(mode="after")
    def check_storable(self) -> Self:
        """Apply the rules (RFC 6265bis, 5.6 and 4.1.3) by which Chromium refuses a cookie, or drops it silently."""
        name, text = self.name.lower(), reveal(self.value) if isinstance(self.value, SecretStr) else ""
        if ";" in text or text != text.strip():
            raise ValueError("a cookie value cannot contain a semicolon, or begin or end with a space; encode it")
        if len(self.name) + len(text) > MAX_COOKIE_BYTES:
            raise ValueError(f"name and value of a cookie together are longer than {MAX_COOKIE_BYTES} characters")
        if self.secure is False and self.needs_secure:
            raise ValueError(f"the cookie {self.name[:40]} needs secure")
        if name.startswith(HOST_PREFIXES) and (self.domain is not None or self.path != "/"):
            raise ValueError(f"the cookie {self.name[:40]} needs the path / and no domain")
        is_by_reference = isinstance(self.value, SecretReference)
        if name.startswith(HTTP_PREFIXES) and not (self.http_only or is_by_reference):
            raise ValueError(f"the cookie {self.name[:40]} needs httpOnly")
        return self

    @property
    def needs_secure(self) -> bool:
        """Whether browsers store the cookie only if it is secure."""
        return self.name.lower().startswith(SECURE_PREFIXES) or self.same_site is SameSite.NONE

    def with_text(self, text: SecretStr) -> Self:
        """The cookie with its secret as text. A referenced secret is hidden from scripts, as it is from requesters."""
        is_reference = isinstance(self.value, SecretReference)
        return self.model_copy(update={"value": text, "http_only": self.http_only or is_reference})


class BasicAuth(WireModel):
    """User name and password for HTTP basic authentication (RFC 7617)."""

    username: Annotated[
        str,
        Field(
            pattern=r"^[\x20-\x39\x3b-\x7e]{1,256}$",
            description="1 to 256 printable ASCII characters, without a colon",
        ),
    ]
    password: Secret

    @property
    def authorization(self) -> str:
        """The value of the Authorization header. The password must have been looked up."""
        return "Basic " + base64.b64encode(f"{self.username}:{reveal(self.password)}".encode()).decode()


class AccessOptions(WireModel):
    """Headers, cookies and credentials for the origin of the page, and for no other."""

    headers: Headers = Field(default_factory=dict)
    cookies: Annotated[tuple[Cookie, ...], Field(max_length=MAX_COOKIES)] = ()
    basic_auth: BasicAuth | None = None

    @model_validator(mode="after")
    def refuse_two_authorizations(self) -> Self:
        given = [name for name in self.headers if name.lower() == "authorization"]
        if self.basic_auth is not None and given:
            raise ValueError(f"basicAuth and headers.{given[0]} conflict: set only one of them")
        return self

    @model_validator(mode="after")
    def refuse_too_large_a_head(self) -> Self:
        lines = [(name, value) for name, value in self.headers.items()]
        lines += [(cookie.name, cookie.value) for cookie in self.cookies]
        total = sum(len(name) + (len(reveal(text)) if isinstance(text, SecretStr) else 0) for name, text in lines)
        if total > MAX_TOTAL_BYTES:
            raise ValueError(f"headers and cookies together are longer than {MAX_TOTAL_BYTES:,} characters")
        return self

    def check_cookies(self, is_https: bool) -> None:
        """Check what depends on the page's scheme. Raises ValueError."""
        for cookie in self.cookies:
            if cookie.needs_secure and cookie.secure is None and not is_https:
                raise ValueError(f"cookies: the cookie {cookie.name[:40]} needs secure, and the page is not https")

    def has_references(self) -> bool:
        """Whether any secret is given by reference, which means that the requester does not know it."""
        values: list[object] = [*self.headers.values(), *(cookie.value for cookie in self.cookies)]
        values += [self.basic_auth.password] if self.basic_auth is not None else []
        return any(isinstance(value, SecretReference) for value in values)

    def origin_headers(self) -> dict[str, str]:
        """The headers for the page's origin, as plain text. All secrets must have been looked up."""
        headers = {name: reveal(value) for name, value in self.headers.items()}
        if self.basic_auth is not None:
            headers["Authorization"] = self.basic_auth.authorization
        return headers

    def with_secrets(self, lookup: Callable[[SecretReference], str]) -> Self:
        """The same options with every reference replaced by its text. Raises what `lookup` raises."""

        def text(value: SecretStr | SecretReference) -> SecretStr:
            return SecretStr(lookup(value)) if isinstance(value, SecretReference) else value

        auth = self.basic_auth
        return self.model_copy(
            update={
                "headers": {name: text(value) for name, value in self.headers.items()},
                "cookies": tuple(each.with_text(text(each.value)) for each in self.cookies),
                "basic_auth": auth and auth.model_copy(update={"password": text(auth.password)}),
            }
        )


def reveal(value: SecretStr | SecretReference) -> str:
    """The text of a secret. A reference must have been looked up before."""
    assert isinstance(value, SecretStr)
    return value.get_secret_value()


def reveal_all(value: Any) -> Any:
    """A dumped model as JSON types, with its secrets in plain text: for hashing, never for storing."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: reveal_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [reveal_all(item) for item in value]
    return value


def has_redacted(options: Any) -> bool:
    """Whether recorded options contained a secret, of which only asterisks are left."""
    if isinstance(options, Mapping):
        return any(has_redacted(value) for value in options.values())
    if isinstance(options, list | tuple):
        return any(has_redacted(value) for value in options)
    return bool(options == REDACTED)
