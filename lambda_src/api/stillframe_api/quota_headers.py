"""Quotas as headers, as the IETF's draft "RateLimit header fields for HTTP" has them.

Source: draft-ietf-httpapi-ratelimit-headers-10. `RateLimit-Policy` has the limits, `RateLimit` what remains of them and
the seconds until they begin anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stillframe.tenants.limits import QuotaExceeded
from stillframe.tenants.quota import WindowState


def limit_headers(states: Iterable[WindowState]) -> dict[str, str]:
    """The headers of these windows; none if nothing is limited."""
    known = list(states)
    if not known:
        return {}
    policies = (f'"{each.window.noun}";q={each.limit};w={each.window.value}' for each in known)
    left = (f'"{each.window.noun}";r={each.remaining};t={each.ends_in_seconds}' for each in known)
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}


def retry_after(error: Exception) -> Mapping[str, str]:
    """When to try again (Retry-After: RFC 9110, 10.2.3), if a quota is why the answer refuses."""
    return {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, QuotaExceeded) else {}
