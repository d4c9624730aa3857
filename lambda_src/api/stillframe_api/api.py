"""The API of one process: an event of API Gateway goes in, and its answer comes out."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from stillframe.errors import CaptureError, ServiceUnavailable
from stillframe.refused import Refused
from stillframe.table.record import Status
from stillframe.waiting import Waiter

from .callers import NOBODY, Caller
from .document import add_documentation
from .models import location_of
from .parameters import describe_parameters
from .problems import HttpError, Problem, json_response, see_other
from .routes import add_routes
from .services import Services
from .signed_links import LINK_PREFIX, is_link
from .waiting import MAX_WAIT_SECONDS, preferred_wait

logger = logging.getLogger("stillframe.api")

# The answer must leave before the invocation's deadline.
RESERVE_SECONDS = 2.0
# What a request is answered with that has a record: one that is not final, or one that is (with its `Location`).
SUBMITTED = (HTTPStatus.ACCEPTED, HTTPStatus.OK)


class Api:
    """Answers events of the payload format 2.0 (Amazon API Gateway, "Lambda proxy integrations").

    May be called from several threads. Powertools keeps the current event in one place for the whole process, so one
    event is resolved at a time; Lambda sends no more than one anyway. Waiting for an image blocks nobody.
    """

    def __init__(self, services: Services, waiter: Waiter | None = None) -> None:
        self._services = services
        self._waiter = waiter or Waiter(services.archive.record)
        self._lock = threading.Lock()
        self._app = APIGatewayHttpResolver(enable_validation=True)
        add_routes(self._app, services)
        add_documentation(self._app, has_keys=services.callers.has_keys)
        self._add_problems()

    def handle(self, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
        """Answer an event. Whatever goes wrong is a problem (RFC 9457) with its HTTP status, and never raised.

        HEAD is GET without the content of the answer (RFC 9110, 9.3.2).
        """
        http = event["requestContext"]["http"]
        if http["method"] != "HEAD":
            return self._handle(event, context)
        as_get = {**event, "requestContext": {**event["requestContext"], "http": {**http, "method": "GET"}}}
        answer = self._handle(as_get, context)
        return {**answer, "body": "", "isBase64Encoded": False}

    def _handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        began = time.monotonic()
        caller = NOBODY
        try:
            event = {**event, "headers": event.get("headers") or {}}
            # Whoever is not let in reaches no route. A link carries its own permission, and leads to one route only.
            if not is_link(event):
                caller = self._services.callers.identify(event["headers"])
            answer = self._answer(event, context, caller)
        except (ServiceUnavailable, Refused) as error:
            answer = _built(Problem.of_error(error).to_response())
        except HttpError as error:
            answer = _built(error.problem.to_response(error.headers))
        except Exception:
            logger.exception("the API met an unexpected error")
            answer = _built(_bug().to_response())
        self._log(event, answer, time.monotonic() - began, caller)
        return answer

    def _answer(self, event: dict[str, Any], context: Any, caller: Caller) -> dict[str, Any]:
        with self._lock:
            self._app.append_context(caller=caller)  # type: ignore[no-untyped-call]
            answer = self._app.resolve(event, context)
        is_by_link = is_link(event)
        preferred = MAX_WAIT_SECONDS if is_by_link else preferred_wait(event["headers"])
        seconds = min(preferred, _left(context))
        if seconds <= 0 or answer["statusCode"] not in SUBMITTED or "Location" not in answer["headers"]:
            return answer
        return self._wait_for_link(answer, seconds) if is_by_link else self._wait(answer, seconds)

    def _wait_for_link(self, answer: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer, or 303 to the image if it is there in time. Raises NotCaptured if the capture has failed."""
        accepted = json.loads(answer["body"])
        record = self._waiter.wait(accepted["id"], seconds)
        if record is None:
            return answer
        return _built(self._services.signed_links.see(record, accepted["freshUntil"]))

    def _wait(self, answer: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer, or 303 to the image if it is there in time; 200 if the capture has failed by then."""
        location: str = answer["headers"]["Location"]
        was_final = answer["statusCode"] == HTTPStatus.OK
        record = self._waiter.wait(location.rpartition("/")[2], seconds)
        if record is None or (was_final and record.status is not Status.SUCCESS):
            return answer
        applied = {"Preference-Applied": f"wait={int(seconds)}", "Content-Location": location}
        if record.status is Status.SUCCESS:
            response = see_other(self._services.links.image(record))
        else:
            body = {"id": record.id, "status": record.status.value, "url": record.url, "location": location}
            response = json_response(HTTPStatus.OK, body, {"Location": location_of(record.id)})
        # With what the answer says of quotas.
        limits = {name: value for name, value in answer["headers"].items() if name.startswith("RateLimit")}
        response.headers.update({**applied, **limits})
        return _built(response)

    def _add_problems(self) -> None:
        @self._app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]
        def parameters(error: RequestValidationError) -> Response[str]:
            detail = describe_parameters(error.errors())
            return Problem.of(HTTPStatus.BAD_REQUEST, "INVALID_PARAMETER", detail).to_response()

        @self._app.exception_handler([CaptureError, Refused])  # type: ignore[untyped-decorator]
        def refusal(error: CaptureError | Refused) -> Response[str]:
            return Problem.of_error(error).to_response()

        @self._app.exception_handler(HttpError)  # type: ignore[untyped-decorator]
        def http(error: HttpError) -> Response[str]:
            return error.problem.to_response(error.headers)

        @self._app.not_found
        def not_found(_: NotFoundError) -> Response[str]:
            return self._no_route()

    def _no_route(self) -> Response[str]:
        """404, or 405 if the path has other methods (RFC 9110, 15.5.6)."""
        path = self._app.current_event.path
        routes = self._app._static_routes + self._app._dynamic_routes
        allowed = sorted({each for route in routes if route.rule.match(path) for each in _methods(route.method)})
        if allowed:
            detail = f"this path takes {', '.join(allowed)}"
            problem = Problem.of(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail)
            return problem.to_response({"Allow": ", ".join(allowed)})
        detail = "there is nothing at this path; /openapi.json lists what there is"
        return Problem.of(HTTPStatus.NOT_FOUND, "NOT_FOUND", detail).to_response()

    def _log(self, event: Mapping[str, Any], answer: Mapping[str, Any], seconds: float, caller: Caller) -> None:
        key = {"tenant": caller.key.tenant, "keyId": caller.key.id} if caller.key is not None else {}
        fields = {
            "method": _method(event),
            # A link is worth an image to whoever reads it in a log.
            "path": LINK_PREFIX if is_link(event) else event.get("rawPath", "")[:200],
            "status": answer["statusCode"],
            "durationMs": round(seconds * 1000),
            **key,
        }
        logger.info("request", extra=fields)


def _left(context: Any) -> float:
    """Seconds for waiting before the invocation's deadline; no limit outside Lambda."""
    if context is None:
        return float("inf")
    return float(context.get_remaining_time_in_millis()) / 1000 - RESERVE_SECONDS


def _method(event: Mapping[str, Any]) -> str:
    return str(event.get("requestContext", {}).get("http", {}).get("method", ""))


def _bug() -> Problem:
    detail = "something unexpected went wrong; the log of the API says what"
    return Problem.of(HTTPStatus.INTERNAL_SERVER_ERROR, "UNEXPECTED", detail)


def _built(response: Response[str]) -> dict[str, Any]:
    """A response as API Gateway takes it."""
    headers = {**response.headers, **({"Content-Type": response.content_type} if response.content_type else {})}
    return {"statusCode": response.status_code, "headers": headers, "body": response.body, "isBase64Encoded": False}


def _methods(method: str) -> tuple[str, ...]:
    """The methods that a route answers."""
    return ("GET", "HEAD") if method == "GET" else (method,)
