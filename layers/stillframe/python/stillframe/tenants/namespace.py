"""A tenant's part of the deployment: the ids that begin with its name, and the requests that it may send there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stillframe.errors import InvalidRequest, SecretUnavailable
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import IN_LINE
from stillframe.request.options.wire import ID_PATTERN, ID_RULE
from stillframe.request.secret_grant import SecretGrant

SEPARATOR = ":"
ID = re.compile(ID_PATTERN.removesuffix("$") + r"\Z")
COMPARE_TO = ("compareTo", "compare_to")
SECRET_ARN = ("secretArn", "secret_arn")


@dataclass(frozen=True, slots=True)
class Namespace:
    """What belongs to a tenant: records whose id begins with `TENANT:`, and which say that they are the tenant's.

    A tenant's name has no colon, so that no id is in two namespaces. `grants` are those of the deployment.
    """

    tenant: str
    grants: tuple[SecretGrant, ...] = ()

    def id(self, given: str) -> str:
        """A screenshot id with the tenant's prefix, which is added if it is missing. Raises InvalidRequest."""
        prefix = self.tenant + SEPARATOR
        full = given if given.startswith(prefix) else prefix + given
        if not ID.match(full):
            raise InvalidRequest(f"requestId: with {prefix} before it, which the API adds, an id must be {ID_RULE}")
        return full

    def owns(self, record_tenant: str | None) -> bool:
        """Whether a record that says this of its tenant belongs to the tenant."""
        return record_tenant == self.tenant

    def admit(self, request: CaptureRequest) -> CaptureRequest:
        """The request as the tenant may send it: in its name, and with ids of its own.

        Raises InvalidRequest if it is in another name, and SecretUnavailable if it names a secret that is not granted
        to this very tenant. That a secret exists is nothing that a tenant may learn, so all other secrets are refused
        with one sentence.
        """
        if request.tenant not in (None, self.tenant):
            raise InvalidRequest(f"tenant: the key belongs to {self.tenant}; leave tenant out")
        for arn in _referenced(request.options):
            if not any(
                self.owns(grant.tenant) and grant.allows(arn, request.url, self.tenant) for grant in self.grants
            ):
                raise SecretUnavailable(f"{arn} is not granted to {self.tenant} for this host")
        values = {**request.model_dump(), "tenant": self.tenant, "options": self._compared(request.options)}
        if request.request_id is not None:
            values["request_id"] = self.id(request.request_id)
        return CaptureRequest.model_validate(values)

    def named(self, request: CaptureRequest, now_ms: int) -> CaptureRequest:
        """The admitted request with an id of the tenant's, also if that is made from its payload."""
        named = request.named(now_ms)
        return named.model_copy(update={"request_id": self.id(named.id)})

    def _compared(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options with the capture to compare with among the tenant's own. What is malformed stays as it is."""
        # By its name in Python, a field is accepted as well.
        named = {name: options[name] for name in COMPARE_TO if name in options and _names_capture(options[name])}
        return {**options, **{name: self.id(compared) for name, compared in named.items()}}


def _names_capture(compared: object) -> bool:
    return isinstance(compared, str) and compared not in IN_LINE and ID.match(compared) is not None


def _referenced(value: Any) -> Iterable[str]:
    """Every secret that options name, wherever that is: what is not valid there is refused later."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name in SECRET_ARN and isinstance(each, str):
                yield each
            else:
                yield from _referenced(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _referenced(each)
