"""Secret grants: which secret may be sent to which host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from stillframe.request.options.access import SECRET_ARN


@dataclass(frozen=True, slots=True)
class SecretGrant:
    """A secret and the one host that it may be sent to, written as `ARN@host` or `ARN@host:port`."""

    arn: str
    authority: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a grant from the settings. Raises ValueError."""
        arn, at, authority = text.strip().rpartition("@")
        if not at or not authority or not SECRET_ARN.match(arn):
            raise ValueError(f"{text!r} is not a secret grant; expected ARN@host or ARN@host:port")
        return cls(arn, authority.lower())

    def allows(self, arn: str, url: str) -> bool:
        """Whether the secret may be sent to the host of a URL."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        return self.arn == arn and self.authority in ({host} if parts.port is None else {f"{host}:{parts.port}"})
