"""From parsed requests to their answers: the caller's namespace, then its quotas, then the intake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stillframe.errors import CaptureError
from stillframe.intake import Accepted
from stillframe.refused import Refused
from stillframe.request.capture_request import CaptureRequest
from stillframe.tenants.limits import QuotaExceeded
from stillframe.tenants.quota import Grant

from .bodies import Parsed
from .callers import Caller
from .quota_headers import limit_headers
from .services import Services

Answer = Accepted | CaptureError | Refused


def accept(services: Services, caller: Caller, requests: Sequence[Parsed]) -> tuple[list[Answer], Mapping[str, str]]:
    """The answer to each request, and the headers that tell the caller's quotas.

    A request that the tenant may not send is no request to count. The first ones of a list are let through, as many as
    there is room for.
    """
    answers: list[Answer] = []
    admitted: dict[int, CaptureRequest] = {}
    for place, request in enumerate(_admit(caller, each) for each in requests):
        if isinstance(request, CaptureRequest):
            admitted[place] = request
        answers.append(request)  # type: ignore[arg-type]  # an admitted request is replaced below
    grant = _take(services, caller, len(admitted))
    through, left = [*admitted][: grant.number], [*admitted][grant.number :]
    accepted = services.intake.accept([admitted[place] for place in through], caller.namespace) if through else []
    for place, answer in zip(through, accepted, strict=True):
        answers[place] = answer
    for place in left:
        assert grant.refusal is not None
        answers[place] = grant.refusal
    return answers, limit_headers(grant.states)


def take_one(services: Services, caller: Caller) -> tuple[QuotaExceeded | None, Mapping[str, str]]:
    """Count one request. Returns the refusal if there is no room for it, and the headers that tell the quotas."""
    grant = _take(services, caller, 1)
    return grant.refusal, limit_headers(grant.states)


def _admit(caller: Caller, request: Parsed) -> CaptureRequest | CaptureError:
    if caller.namespace is None or not isinstance(request, CaptureRequest):
        return request
    try:
        return caller.namespace.admit(request)
    except CaptureError as error:
        return error


def _take(services: Services, caller: Caller, number: int) -> Grant:
    if caller.key is None or number == 0:
        return Grant(number)
    return services.quotas.take(caller.key.tenant, caller.key.limits, number)
