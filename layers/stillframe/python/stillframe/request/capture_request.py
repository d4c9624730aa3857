"""A request for one screenshot, as carried in the body of an SQS message."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cached_property
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from stillframe.errors import InvalidRequest, UnparsableBody
from stillframe.request.envelope import FreshFor, Metadata, Tenant, Webhook
from stillframe.request.foreign_body import describe_encoded, describe_foreign, describe_json_error
from stillframe.request.freshness import Window
from stillframe.request.message_limits import sendable_json
from stillframe.request.options import RenderOptions
from stillframe.request.options.access import reveal_all
from stillframe.request.options.problems import describe_problems
from stillframe.request.options.wire import ID_PATTERN, ID_RULE

# In `ID_PATTERN`, `$` matches only at the very end of the text: pydantic uses Rust's regex engine, not Python's.
# Chromium's own limit for a URL (url::kMaxURLChars) is 2 MiB. No page needs that much, and a record holds 400 KB.
MAX_URL_CHARS = 16_384
SCHEME = re.compile(r"(\s*(?:[A-Za-z][A-Za-z0-9+.-]*:)?)([/\\]*)(.*)\Z", re.DOTALL)
# A host with an optional numeric port. An `@` after anything else may end a password that contains a slash.
HOST_AND_PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*)(?::[0-9]*)?")

# Options that change nothing in the screenshot, only what it is compared with, and how.
COMPARING = frozenset({"compareTo", "comparison", "confirmChanges"})


class CaptureRequest(BaseModel):
    """`{"url": ..., "requestId": ..., "options": {...}}`, optionally with the fields of `envelope.py`.

    `tenant` is the party that the request is made for. `metadata` is stored in the record. `fresh_for` is in seconds.
    Only the envelope is checked here. The options are checked later, under the request's own id, so that an invalid
    option ends in a record that names it and not in a dead letter.
    """

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid", hide_input_in_errors=True
    )

    url: Annotated[str, Field(min_length=1, max_length=MAX_URL_CHARS, strict=True)]
    request_id: Annotated[str, Field(pattern=ID_PATTERN, description=ID_RULE, strict=True)] | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    tenant: Tenant | None = None
    metadata: Metadata = Field(default_factory=dict)
    fresh_for: FreshFor | None = None
    webhook: Webhook | None = None

    @classmethod
    def from_body(cls, body: str) -> Self:
        """Parse a message body. Raises UnparsableBody, which says what is wrong and what is expected.

        The wrapper of another service is named as what it is, with what to do about it.
        """
        try:
            # Python's json accepts NaN and lone surrogates, which no other program could read back.
            raw = json.loads(body, parse_constant=_refuse_constant)
            json.dumps(raw, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise UnparsableBody(
                describe_encoded(body) or f"the body is not JSON: {describe_json_error(error)}"
            ) from error
        if not isinstance(raw, dict):
            expected = 'the body is not a JSON object; expected {"url": "https://...", "requestId": ...}'
            raise UnparsableBody(describe_foreign(raw) or expected)
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            problems = describe_foreign(raw) or describe_problems(error, cls, raw, noun="a field")
            raise UnparsableBody(problems) from error

    @cached_property
    def recorded_options(self) -> dict[str, Any]:
        """The options without defaults, for the record; empty when they are invalid.

        Invalid options may be anything, including what DynamoDB cannot hold (38 digits, 32 levels, 400 KB).
        """
        try:
            parsed = RenderOptions.parse(self.options)
        except InvalidRequest:
            return {}
        # Secrets are dumped as asterisks.
        return parsed.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @cached_property
    def recorded_url(self) -> str:
        """The URL without any name and password."""
        return without_credentials(self.url)

    @cached_property
    def _canonical_options(self) -> dict[str, Any]:
        """The options as hashed: an explicit default makes no other request, an invalid option does."""
        try:
            parsed = RenderOptions.parse(self.options)
        except InvalidRequest:
            return self.options
        # Secrets included: two tokens may see different pages.
        options: dict[str, Any] = reveal_all(parsed.model_dump(by_alias=True, exclude_defaults=True))
        return options

    @cached_property
    def payload_hash(self) -> str:
        """SHA-256 of URL and options in canonical JSON, in hex: the identity of the request."""
        return self._hash(self._canonical_options)

    def payload_hash_compared_as(self, recorded_options: dict[str, Any]) -> str:
        """The payload hash that this request would have if it were compared as the one with these options."""
        options = {name: value for name, value in self._canonical_options.items() if name not in COMPARING}
        return self._hash({**options, **{name: recorded_options[name] for name in COMPARING & recorded_options.keys()}})

    def _hash(self, options: dict[str, Any]) -> str:
        canonical = {"url": self.url, "options": options}
        text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def id(self) -> str:
        """The screenshot id: the one the sender chose, or else the hash of the request.

        A request with `fresh_for` and without an id has one only once it was `named`: before that, this raises
        ValueError.
        """
        if self.request_id is None and self.fresh_for is not None:
            raise ValueError("a request with freshFor has an id only once it is known when it was sent")
        return self.request_id or self.payload_hash

    def window(self, sent_at_ms: int) -> Window | None:
        """The window that names the request, if it has `fresh_for` and no id of its own."""
        if self.request_id is not None or self.fresh_for is None:
            return None
        return Window.at(self.payload_hash, self.fresh_for, sent_at_ms)

    def named(self, sent_at_ms: int) -> Self:
        """The request with the id of the window that it falls into, or as it is if no window names it."""
        window = self.window(sent_at_ms)
        return self if window is None else self.model_copy(update={"request_id": window.id})

    def render_options(self) -> RenderOptions:
        """Check the URL and parse the options. Raises InvalidRequest, which names what is wrong."""
        try:
            parts = urlsplit(self.url)
            parts.port  # noqa: B018  # raises ValueError if it is out of range
        except ValueError as error:
            raise InvalidRequest(f"url: {error}") from error
        if any(char.isspace() or ord(char) < 0x20 for char in self.url):
            raise InvalidRequest("url: contains whitespace or control characters; percent-encode them")
        if parts.scheme.lower() in ("http", "https") and not parts.hostname:
            raise InvalidRequest("url: has no host; expected https://host/path")
        if "@" in parts.netloc:
            raise InvalidRequest("url: contains a user name or password; use the option basicAuth instead")
        options = RenderOptions.parse(self.options)
        try:
            options.check_cookies(is_https=parts.scheme.lower() == "https")
        except ValueError as error:
            raise InvalidRequest(f"options: {error}") from error
        return options

    def to_wire(self) -> dict[str, Any]:
        """The request by wire names, without what it does not have."""
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if not self.metadata:
            del body["metadata"]
        return body

    def to_body(self) -> str:
        """The message body that `from_body` reads back."""
        return sendable_json(json.dumps(self.to_wire(), ensure_ascii=False))


def without_credentials(url: str) -> str:
    """A URL without a name and password, which RFC 3986, 3.2.1 deprecates.

    In a malformed URL nobody can tell where a password ends: everything before the last `@` is removed.
    """
    scheme, slashes, rest = SCHEME.match(url).groups()  # type: ignore[union-attr]  # it matches every text
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if "@" in authority:
        return f"{scheme}{slashes}{rest[authority.rfind('@') + 1 :]}"
    if "@" in rest and not (slashes == "//" and HOST_AND_PORT.fullmatch(authority)):
        return f"{scheme}{slashes}{rest.rpartition('@')[2]}"
    return url


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
