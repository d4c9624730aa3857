"""The routes. Each reads its parameters, calls the domain once, and writes the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query

from stillframe import __version__
from stillframe.errors import CaptureError, InvalidRequest
from stillframe.intake import Accepted
from stillframe.record_list import MAX_CURSOR_CHARS
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options.wire import ID_PATTERN, ID_RULE
from stillframe.retry import retry
from stillframe.table.record import Status

from .bodies import KEY, parse_requests, read_body
from .models import Health, ListAnswer, ListAnswers, RecordPage, Submitted, location_of, status_of
from .problems import HttpError, json_response
from .services import Services

ScreenshotId = Annotated[str, Path(pattern=ID_PATTERN, description=f"the id of a screenshot: {ID_RULE}")]
ExtraName = Annotated[
    str,
    Path(
        pattern=r"^(thumbnail|html|text|mhtml|har|difference|element-[1-9][0-9]{0,2})$",
        description="an extra object that the request asked for",
    ),
]
IdempotencyKey = Annotated[
    str | None, Header(alias=KEY, pattern=ID_PATTERN, description="the id of the one screenshot, like requestId")
]
Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        description="`wait=N`: answer once the image is there, after N seconds at the latest (25 at most)",
    ),
]
StatusFilter = Annotated[Status | None, Query(description="only records with this status")]
# RFC 3339. A number would be a time as well for pydantic.
Since = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?$",
        description="only records that changed at this time (ISO 8601, UTC unless it says otherwise) or later",
    ),
]
CursorText = Annotated[
    str | None,
    Query(min_length=1, max_length=MAX_CURSOR_CHARS, description="the cursor of the page before, to continue there"),
]
LIST_PARAMETERS = ("status", "since", "cursor")


def add_routes(app: APIGatewayHttpResolver, services: Services) -> None:
    """Add the routes of screenshots."""

    @app.post("/v1/screenshots", operation_id="createScreenshots")
    def create(key: IdempotencyKey = None, prefer: Prefer = None) -> Response[str]:
        body = parse_requests(read_body(app.current_event.raw_event), key)
        good = [each for each in body.requests if isinstance(each, CaptureRequest)]
        accepted = iter(services.intake.accept(good))
        answers = [next(accepted) if isinstance(each, CaptureRequest) else each for each in body.requests]
        return _answer_list(answers) if body.is_list else _answer_one(answers[0])

    @app.get("/v1/screenshots", operation_id="listScreenshots")
    def list_records(status: StatusFilter = None, since: Since = None, cursor: CursorText = None) -> Response[str]:
        _refuse_unknown(app.current_event.query_string_parameters)
        page = services.records.page(status, _milliseconds(since), cursor)
        body = RecordPage(items=[record.to_wire() for record in page.records], cursor=page.cursor)
        return json_response(HTTPStatus.OK, body.model_dump(mode="json", exclude_none=True))

    @app.get("/v1/screenshots/<screenshot_id>", operation_id="getScreenshot")
    def get(screenshot_id: ScreenshotId) -> Response[str]:
        return json_response(HTTPStatus.OK, services.archive.require(screenshot_id).to_wire())

    @app.get("/v1/screenshots/<screenshot_id>/image", operation_id="getImage")
    def get_image(screenshot_id: ScreenshotId) -> Response[str]:
        return see_other(services.links.image(services.archive.require(screenshot_id)))

    @app.get("/v1/screenshots/<screenshot_id>/extras/<kind>", operation_id="getExtra")
    def get_extra(screenshot_id: ScreenshotId, kind: ExtraName) -> Response[str]:
        return see_other(services.links.extra_object(services.archive.require(screenshot_id), kind))

    @app.post("/v1/screenshots/<screenshot_id>/retry", operation_id="retryScreenshot")
    def send_again(screenshot_id: ScreenshotId, prefer: Prefer = None) -> Response[str]:
        sent = retry(screenshot_id, services.clients, services.settings)
        return _answer_one(Accepted(sent.request, Status.QUEUED))

    @app.get("/health", operation_id="getHealth")
    def health() -> Response[str]:
        return json_response(HTTPStatus.OK, Health(version=__version__).model_dump())


def see_other(link: str) -> Response[str]:
    """303: the object is at this link."""
    return Response(HTTPStatus.SEE_OTHER, headers={"Location": link, "Cache-Control": "no-store"}, body="")


def _answer_one(answer: Accepted | CaptureError) -> Response[str]:
    if isinstance(answer, CaptureError):
        raise answer
    body = Submitted.of(answer).model_dump(mode="json", by_alias=True, exclude_none=True)
    return json_response(HTTPStatus(status_of(answer.status)), body, {"Location": location_of(answer.request.id)})


def _answer_list(answers: list[Accepted | CaptureError]) -> Response[str]:
    body = ListAnswers(items=[ListAnswer.of(answer) for answer in answers])
    return json_response(HTTPStatus.MULTI_STATUS, body.model_dump(mode="json", by_alias=True, exclude_none=True))


def _milliseconds(since: str | None) -> int:
    """Milliseconds since the epoch. Raises InvalidRequest if there is no such time."""
    if since is None:
        return 0
    try:
        moment = datetime.fromisoformat(since)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, int(moment.timestamp() * 1000))
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"since: {error}") from error


def _refuse_unknown(given: Any) -> None:
    """A misspelt filter would list everything."""
    unknown = sorted(set(given or {}) - {*LIST_PARAMETERS})
    if unknown:
        expected = ", ".join(LIST_PARAMETERS)
        raise HttpError(
            HTTPStatus.BAD_REQUEST, "INVALID_PARAMETER", f"{unknown[0][:60]} is not a parameter; expected {expected}"
        )
