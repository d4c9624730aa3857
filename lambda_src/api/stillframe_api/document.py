"""The OpenAPI document (3.1): parameters as the routes check them, and bodies and answers as the models write them."""

from __future__ import annotations

import functools
import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from stillframe import __version__
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import RenderOptions
from stillframe.table.record import Record

from .bodies import JSON_TYPE, MAX_REQUESTS
from .models import Health, ListAnswers, RecordPage, Submitted, UsageList
from .problems import CONTENT_TYPE, Problem

REFERENCE = "#/components/schemas/{model}"
EXAMPLE = {"url": "https://example.com/", "requestId": "order-42", "options": {"fullPage": True}}
PARAMETER_EXAMPLES = {"screenshot_id": EXAMPLE["requestId"], "kind": "thumbnail", "name": "phone", "Prefer": "wait=1"}
TEXT = {"schema": {"type": "string"}}
KEY_SCHEME = {"type": "http", "scheme": "bearer", "bearerFormat": "stillframe_...", "description": "an API key"}
SEE_IMAGE = "the object is at `Location`, a link that is valid for 15 minutes"
Operation = dict[str, Any]


def add_documentation(app: APIGatewayHttpResolver, *, has_keys: bool) -> None:
    """Add the routes of the document and of the page that shows it. All other routes must be there already."""

    @functools.cache
    def document() -> str:
        return json.dumps(openapi(app, has_keys=has_keys), separators=(",", ":"))

    @app.get("/openapi.json", operation_id="getDocument")
    def get_document() -> Response[str]:
        return Response(HTTPStatus.OK, JSON_TYPE, document())

    @app.get("/docs", operation_id="getDocs", compress=True)
    def get_docs() -> Response[str]:
        from .docs_page import PAGE_HEADERS, page_of

        return Response(HTTPStatus.OK, "text/html; charset=utf-8", page_of(document()), headers=PAGE_HEADERS)


def openapi(app: APIGatewayHttpResolver, *, has_keys: bool = False) -> dict[str, Any]:
    """The document as a value. With `has_keys`, every operation but a signed link needs one."""
    generated = json.loads(app.get_openapi_json_schema(title="Stillframe", version=__version__))
    paths = {path: dict(_operations(methods)) for path, methods in generated["paths"].items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stillframe",
            "version": __version__,
            "summary": "Screenshots of web pages, each one once.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": _schemas(), **({"securitySchemes": {"key": KEY_SCHEME}} if has_keys else {})},
        **({"security": [{"key": []}]} if has_keys else {}),
    }


def _operations(methods: dict[str, Any]) -> Any:
    for method, generated in methods.items():
        name = generated["operationId"]
        described = OPERATIONS[name]
        operation: Operation = {"operationId": name, **described, "responses": {}}
        if "parameters" in generated:
            operation["parameters"] = list(map(_parameter, generated["parameters"]))
        operation["responses"] = {**described["responses"], **_problems(described.get("problems", ()))}
        operation.pop("problems", None)
        yield method, operation


def _parameter(generated: dict[str, Any]) -> dict[str, Any]:
    """A parameter without the null that only stands for its absence."""
    schema = generated["schema"]
    kinds = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if kinds:
        schema = kinds[0]
    if schema.get("$ref", "").endswith("/Status"):
        schema = {"$ref": REFERENCE.format(model="Status")}
    schema = {key: value for key, value in schema.items() if key not in ("title", "description")}
    name = generated["name"] if generated["in"] != "header" else generated["name"].title()
    example = {"example": PARAMETER_EXAMPLES[name]} if name in PARAMETER_EXAMPLES else {}
    return {**generated, "name": name, "schema": schema, **example}


def _schemas() -> dict[str, Any]:
    models: list[type[BaseModel]] = [
        *(CaptureRequest, RenderOptions, Record, Problem, Submitted, ListAnswers, RecordPage, UsageList, Health)
    ]
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=REFERENCE)
    schemas: dict[str, Any] = found["$defs"]
    # The envelope's own model leaves the options for later, so that a wrong one has a record to be named in.
    schemas["CaptureRequest"]["properties"]["options"] = {"$ref": REFERENCE.format(model="RenderOptions")}
    schemas["CaptureRequest"]["properties"]["url"] |= {"format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"}
    schemas["CaptureRequest"]["examples"] = [EXAMPLE]
    schemas["RecordPage"]["properties"]["items"]["items"] = {"$ref": REFERENCE.format(model="Record")}
    del schemas["Record"]["properties"]["claimToken"]
    return schemas


def _json(description: str, model: str, **more: Any) -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(model=model)}
    return {"description": description, "content": {JSON_TYPE: {"schema": schema}}, **more}


def _problems(statuses: tuple[HTTPStatus, ...]) -> dict[str, Any]:
    common = (HTTPStatus.UNAUTHORIZED, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
    content = {CONTENT_TYPE: {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
    return {str(int(status)): {"description": status.phrase, "content": content} for status in (*statuses, *common)}


def _link(operation: str, description: str) -> dict[str, Any]:
    parameters = {"screenshot_id": "$response.body#/id"}
    return {"operationId": operation, "parameters": parameters, "description": description}


LOCATION = {"Location": {"description": "the path of the screenshot", "required": True, "schema": {"type": "string"}}}
LINKS = {
    "record": _link("getScreenshot", "the record"),
    "image": _link("getImage", "the image, once the record is a success"),
    "retry": _link("retryScreenshot", "send it again"),
}
ACCEPTED = {
    "200": _json("the id has a record already, which is final", "Submitted", headers=LOCATION, links=LINKS),
    "202": _json("recorded and sent", "Submitted", headers=LOCATION, links=LINKS),
}
LINK = {"Location": {"description": "a link to the object", "required": True, "schema": {"type": "string"}}}
FOUND = {"303": {"description": SEE_IMAGE, "headers": LINK}}
BAD, MISSING, CONFLICT = HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
INVALID = HTTPStatus.UNPROCESSABLE_ENTITY
REQUESTS = {
    "required": True,
    "content": {
        JSON_TYPE: {
            "schema": {
                "anyOf": [
                    {"$ref": REFERENCE.format(model="CaptureRequest")},
                    {
                        "type": "array",
                        "items": {"$ref": REFERENCE.format(model="CaptureRequest")},
                        "minItems": 1,
                        "maxItems": MAX_REQUESTS,
                    },
                ]
            },
            "examples": {"one": {"value": EXAMPLE}, "list": {"value": [{"url": "https://example.com/"}]}},
        }
    },
}
OPERATIONS: dict[str, Operation] = {
    "createScreenshots": {
        "summary": "Send one request, or a list",
        "description": "Each request of a list is answered on its own. The same id again is the same screenshot.",
        "requestBody": REQUESTS,
        "responses": {**ACCEPTED, "207": _json("the answers to a list, in its order", "ListAnswers"), **FOUND},
        "problems": (
            *(BAD, CONFLICT, INVALID),
            *(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
            HTTPStatus.TOO_MANY_REQUESTS,
        ),
    },
    "listScreenshots": {
        "summary": "List records",
        "description": "Page by page, in no order. Unfinished and failed records come from an index; successes, and "
        "all records, from a scan of the table.",
        "responses": {"200": _json("a page", "RecordPage")},
        "problems": (BAD, INVALID),
    },
    "getScreenshot": {
        "summary": "Read the record of a screenshot",
        "responses": {"200": _json("the record", "Record")},
        "problems": (BAD, MISSING),
    },
    "getImage": {"summary": "Find the image", "responses": FOUND, "problems": (BAD, MISSING, CONFLICT)},
    "getExtra": {"summary": "Find an extra object", "responses": FOUND, "problems": (BAD, MISSING, CONFLICT)},
    "getShot": {"summary": "Find a shot", "responses": FOUND, "problems": (BAD, MISSING, CONFLICT)},
    "retryScreenshot": {
        "summary": "Send the request of a screenshot again",
        "description": "For a screenshot that failed, and for one that has lost its message.",
        "responses": {**ACCEPTED, **FOUND},
        "problems": (BAD, MISSING, CONFLICT, INVALID, HTTPStatus.TOO_MANY_REQUESTS),
    },
    "getUsage": {
        "summary": "What tenants have used this month",
        "description": "With a key, the usage of its tenant; else that of every tenant that has a key.",
        "responses": {"200": _json("the usage", "UsageList")},
    },
    "openLink": {
        "summary": "Open a signed link",
        "description": "Needs no authorisation but its signature. Waits for up to 25 seconds.",
        "security": [],
        "responses": {
            "202": _json("the image is not there yet: try again", "Submitted"),
            **FOUND,
        },
        "problems": (BAD, HTTPStatus.FORBIDDEN, MISSING, CONFLICT, INVALID),
    },
    "getHealth": {"summary": "Whether the API runs", "responses": {"200": _json("it does", "Health")}},
    "getDocument": {
        "summary": "This document",
        "responses": {"200": {"description": "OpenAPI 3.1", "content": {JSON_TYPE: {"schema": {"type": "object"}}}}},
    },
    "getDocs": {
        "summary": "This document for people",
        "responses": {"200": {"description": "a page that needs no network", "content": {"text/html": TEXT}}},
    },
}
