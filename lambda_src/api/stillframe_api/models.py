"""What the API answers, as models: they write the answers and the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from stillframe.errors import CaptureError
from stillframe.intake import Accepted
from stillframe.refused import Refused
from stillframe.request.options.wire import WireModel
from stillframe.table.record import Status

from .problems import Problem


class Submitted(WireModel):
    """A request that has a record: `location` is where to look at it."""

    id: str
    status: Status
    url: Annotated[str, Field(description="the URL of the page, without any name and password")]
    location: str
    fresh_until: Annotated[
        int | None,
        Field(
            description="when the window of `freshFor` ends, in ms since the epoch: an equal request is new from then"
        ),
    ] = None
    age: Annotated[int | None, Field(description="seconds since the capture of a success began")] = None

    @classmethod
    def of(cls, accepted: Accepted) -> Submitted:
        request = accepted.request
        return cls(
            id=request.id,
            status=accepted.status,
            url=request.recorded_url,
            location=location_of(request.id),
            fresh_until=accepted.fresh_until_ms,
            age=accepted.age_seconds,
        )


class ListAnswer(WireModel):
    """The answer to one request of a list: what it would have been alone."""

    status: Annotated[int, Field(description="the HTTP status that the request would have had alone")]
    screenshot: Submitted | None = None
    problem: Problem | None = None

    @classmethod
    def of(cls, answer: Accepted | CaptureError | Refused) -> ListAnswer:
        if isinstance(answer, CaptureError | Refused):
            problem = Problem.of_error(answer)
            return cls(status=problem.status, problem=problem)
        return cls(status=status_of(answer.status), screenshot=Submitted.of(answer))


class ListAnswers(WireModel):
    """The answers to a list, in its order."""

    items: list[ListAnswer]


class RecordPage(WireModel):
    """Some records in no order. With a cursor, there may be more, even if this page has none."""

    items: list[dict[str, Any]]
    cursor: str | None = None


class WindowUsage(WireModel):
    """Requests of one minute or day (UTC), as they count for a limit."""

    used: int
    limit: int
    ends_in: Annotated[int, Field(description="seconds until the window ends")]


class TenantUsage(WireModel):
    """What a tenant has used. Windows and limits are those of the key that asks, if it has any."""

    tenant: str
    month: Annotated[str, Field(description="in UTC", pattern="^[0-9]{4}-[0-9]{2}$")]
    captures: Annotated[int, Field(description="in this month")]
    usd: Annotated[float, Field(description="what this month's deliveries have cost, failed ones included")]
    usd_per_month: float | None = None
    minute: WindowUsage | None = None
    day: WindowUsage | None = None


class UsageList(WireModel):
    """The usage of the key's tenant, or of every tenant that has a key."""

    items: list[TenantUsage]


class Health(WireModel):
    """The function runs and its settings are complete."""

    status: Annotated[str, Field(pattern="^ok$")] = "ok"
    version: str


def location_of(screenshot_id: str) -> str:
    """The path of a screenshot."""
    return f"/v1/screenshots/{screenshot_id}"


def status_of(status: Status) -> int:
    """The HTTP status of an accepted request: 202 until its record is final."""
    return 200 if status in (Status.SUCCESS, Status.FAILED) else 202
