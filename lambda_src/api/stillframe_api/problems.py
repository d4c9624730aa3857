"""Problems: every refusal as RFC 9457 has it, with the code and the sentence that a record would have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field

from stillframe.errors import (
    BlockedScheme,
    CallRefused,
    CaptureError,
    IdConflict,
    InvalidRequest,
    SecretUnavailable,
    ServiceUnavailable,
    UnparsableBody,
)
from stillframe.refused import NotCaptured, NotRetryable, Refused, UnknownScreenshot
from stillframe.signed_link import LinkRefused
from stillframe.tenants.limits import QuotaExceeded

CONTENT_TYPE = "application/problem+json"
# RFC 9457, 4.2.1: a problem that is no more than its HTTP status and `code`.
TYPE: Final = "about:blank"
RETRY_AFTER_SECONDS = "5"

STATUSES: Mapping[type[Exception], HTTPStatus] = {
    # The form is wrong: what was sent does not satisfy the OpenAPI document.
    UnparsableBody: HTTPStatus.BAD_REQUEST,
    # The form is right, and the content cannot be captured.
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    BlockedScheme: HTTPStatus.UNPROCESSABLE_ENTITY,
    CallRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    SecretUnavailable: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdConflict: HTTPStatus.CONFLICT,
    UnknownScreenshot: HTTPStatus.NOT_FOUND,
    NotCaptured: HTTPStatus.CONFLICT,
    NotRetryable: HTTPStatus.CONFLICT,
    LinkRefused: HTTPStatus.FORBIDDEN,
    QuotaExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    ServiceUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Problem(BaseModel):
    """A refusal (RFC 9457)."""

    model_config = ConfigDict(json_schema_extra={"required": ["type", "title", "status", "detail", "code"]})

    type: Annotated[Literal["about:blank"], Field(description="no more is said than by status and code")] = TYPE
    title: Annotated[str, Field(description="the HTTP status in words")]
    status: Annotated[int, Field(description="the HTTP status", ge=400, le=599)]
    detail: Annotated[str, Field(description="what is wrong, and what to do about it")]
    code: Annotated[str, Field(description="the code that a record would have", pattern="^[A-Z_]+$")]

    @classmethod
    def of(cls, status: HTTPStatus, code: str, detail: str) -> Problem:
        return cls(title=status.phrase, status=status, detail=detail, code=code)

    @classmethod
    def of_error(cls, error: CaptureError | Refused) -> Problem:
        """The problem that a domain error is to the caller."""
        known = (status for kind, status in STATUSES.items() if isinstance(error, kind))
        return cls.of(next(known, HTTPStatus.INTERNAL_SERVER_ERROR), error.code, error.message)

    def to_response(self, headers: Mapping[str, str] | None = None) -> Response[str]:
        given = dict(headers or {})
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            given["Retry-After"] = RETRY_AFTER_SECONDS
        return Response(self.status, CONTENT_TYPE, self.model_dump_json(), headers=given)


class HttpError(Exception):
    """A request that is wrong as HTTP, whatever it asks for."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem.of(status, code, detail)
        self.headers = headers or {}


def json_response(status: HTTPStatus, body: Any, headers: Mapping[str, str] | None = None) -> Response[str]:
    """A response with a JSON body, of wire names."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(status, "application/json", text, headers={"Cache-Control": "no-store", **(headers or {})})


def see_other(link: str, cache_control: str = "no-store") -> Response[str]:
    """303: the object is at this link."""
    return Response(HTTPStatus.SEE_OTHER, headers={"Location": link, "Cache-Control": cache_control}, body="")
