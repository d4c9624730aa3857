"""The routes. Each reads its parameters, calls the domain once, and writes the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from stillframe import __version__
from stillframe.errors import CaptureError, InvalidRequest
from stillframe.intake import Accepted
from stillframe.refused import Refused
from stillframe.retry import retry
from stillframe.table.record import Record, Status

from .admission import Answer, accept, take_one
from .bodies import parse_requests, read_body
from .callers import Caller
from .models import Health, ListAnswer, ListAnswers, RecordPage, Submitted, location_of, status_of
from .parameters import (
    LIST_PARAMETERS,
    QUOTE,
    TIME_RULE,
    CursorText,
    ExtraName,
    IdempotencyKey,
    Prefer,
    ScreenshotId,
    ShotName,
    Since,
    StatusFilter,
)
from .problems import HttpError, Problem, json_response, see_other
from .quota_headers import retry_after
from .services import Services
from .signed_links import LINK_PREFIX, LinkPart
from .usage import usage_of


def add_routes(app: APIGatewayHttpResolver, services: Services) -> None:
    """Add the routes of screenshots."""

    def find(screenshot_id: str) -> Record:
        caller: Caller = app.context["caller"]
        return caller.find(services.archive, screenshot_id)

    @app.post("/v1/screenshots", operation_id="createScreenshots")
    def create(key: IdempotencyKey = None, prefer: Prefer = None) -> Response[str]:
        body = parse_requests(read_body(app.current_event.raw_event), key.strip(QUOTE) if key else key)
        caller: Caller = app.context["caller"]
        answers, limits = accept(services, caller, body.requests)
        return _answer_list(answers, limits) if body.is_list else _answer_one(answers[0], limits)

    @app.get("/v1/screenshots", operation_id="listScreenshots")
    def list_records(status: StatusFilter = None, since: Since = None, cursor: CursorText = None) -> Response[str]:
        _refuse_unknown(app.current_event.query_string_parameters)
        tenant = app.context["caller"].tenant
        page = services.records.page(status, _milliseconds(since), cursor, tenant=tenant)
        body = RecordPage(items=[record.to_wire() for record in page.records], cursor=page.cursor)
        return json_response(HTTPStatus.OK, body.model_dump(mode="json", exclude_none=True))

    @app.get("/v1/screenshots/<screenshot_id>", operation_id="getScreenshot")
    def get(screenshot_id: ScreenshotId) -> Response[str]:
        return json_response(HTTPStatus.OK, find(screenshot_id).to_wire())

    @app.get("/v1/screenshots/<screenshot_id>/image", operation_id="getImage")
    def get_image(screenshot_id: ScreenshotId) -> Response[str]:
        return see_other(services.links.image(find(screenshot_id)))

    @app.get("/v1/screenshots/<screenshot_id>/extras/<kind>", operation_id="getExtra")
    def get_extra(screenshot_id: ScreenshotId, kind: ExtraName) -> Response[str]:
        return see_other(services.links.extra_object(find(screenshot_id), kind))

    @app.get("/v1/screenshots/<screenshot_id>/shots/<name>", operation_id="getShot")
    def get_shot(screenshot_id: ScreenshotId, name: ShotName) -> Response[str]:
        return see_other(services.links.shot(find(screenshot_id), name))

    @app.post("/v1/screenshots/<screenshot_id>/retry", operation_id="retryScreenshot")
    def send_again(screenshot_id: ScreenshotId, prefer: Prefer = None) -> Response[str]:
        record = find(screenshot_id)
        refusal, limits = take_one(services, app.context["caller"])
        if refusal is not None:
            return _answer_one(refusal, limits)
        sent = retry(record.id, services.clients, services.settings)
        return _answer_one(Accepted(sent.request, Status.QUEUED), limits)

    @app.get("/v1/usage", operation_id="getUsage")
    def get_usage() -> Response[str]:
        body = usage_of(services, app.context["caller"])
        return json_response(HTTPStatus.OK, body.model_dump(mode="json", by_alias=True, exclude_none=True))

    @app.get(f"{LINK_PREFIX}<payload>/<signature>", operation_id="openLink")
    def open_link(payload: LinkPart, signature: LinkPart) -> Response[str]:
        return services.signed_links.answer(payload, signature)

    @app.get("/health", operation_id="getHealth")
    def health() -> Response[str]:
        return json_response(HTTPStatus.OK, Health(version=__version__).model_dump())


def _answer_one(answer: Answer, limits: Mapping[str, str]) -> Response[str]:
    if isinstance(answer, CaptureError | Refused):
        return Problem.of_error(answer).to_response({**limits, **retry_after(answer)})
    body = Submitted.of(answer).model_dump(mode="json", by_alias=True, exclude_none=True)
    headers = {"Location": location_of(answer.request.id), **limits}
    return json_response(HTTPStatus(status_of(answer.status)), body, headers)


def _answer_list(answers: list[Answer], limits: Mapping[str, str]) -> Response[str]:
    body = ListAnswers(items=[ListAnswer.of(answer) for answer in answers])
    values = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json_response(HTTPStatus.MULTI_STATUS, values, limits)


def _milliseconds(since: str | None) -> int:
    """Milliseconds since the epoch. Raises InvalidRequest if there is no such time."""
    if since is None:
        return 0
    try:
        moment = datetime.fromisoformat(since)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, int(moment.timestamp() * 1000))
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"since: must be {TIME_RULE}") from error


def _refuse_unknown(given: Any) -> None:
    """A misspelt filter would list everything."""
    unknown = sorted(set(given or {}) - {*LIST_PARAMETERS})
    if unknown:
        expected = ", ".join(LIST_PARAMETERS)
        raise HttpError(
            HTTPStatus.BAD_REQUEST, "INVALID_PARAMETER", f"{unknown[0][:60]} is not a parameter; expected {expected}"
        )
