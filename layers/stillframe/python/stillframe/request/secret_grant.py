"""Secret grants: which secret may be sent to which origin, and on whose behalf."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from stillframe.egress.hosts import DEFAULT_PORTS, canonical_host, origin_of
from stillframe.request.options.access import SECRET_ARN

GRANT = re.compile(
    r"(?P<arn>[^@]+(?:@[^@]+)*?)@(?:(?P<scheme>https?)://)?(?P<host>\[[0-9a-fA-F:.]+\]|[^/:@;]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?:;tenant=(?P<tenant>[^;@]+))?\Z"
)
FORM = "ARN@host, ARN@host:port or ARN@http://host:port, each optionally followed by ;tenant=NAME"


@dataclass(frozen=True, slots=True)
class SecretGrant:
    """A secret and the one origin that it may be sent to.

    Without a scheme, the grant is for https: over plain http, anyone on the network path could read the secret. With a
    tenant, only requests of that tenant may reference the secret.
    """

    arn: str
    scheme: str
    host: str
    port: int
    tenant: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a grant from the settings. Raises ValueError."""
        found = GRANT.match(text.strip())
        if found is None or not SECRET_ARN.match(found["arn"]):
            raise ValueError(f"{text!r} is not a secret grant; expected {FORM}")
        scheme = found["scheme"] or "https"
        port = int(found["port"] or DEFAULT_PORTS[scheme])
        return cls(found["arn"], scheme, canonical_host(found["host"]), port, found["tenant"])

    def allows(self, arn: str, url: str, tenant: str | None = None) -> bool:
        """Whether the secret may be sent to the origin of a URL, for a request of this tenant."""
        is_origin = origin_of(url) == (self.scheme, self.host, self.port)
        return self.arn == arn and is_origin and self.tenant in (None, tenant)
