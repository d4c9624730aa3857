"""Writes what docs have from the code: schemas, the collection of requests, and the table of variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from stacks.config import DeployConfig
from stacks.environment import ENVIRONMENT_KEY
from stacks.presets import PRESETS, SIZE_KEY
from stillframe.event_detail import VERSION, EventDetail
from stillframe.request.options import RenderOptions
from stillframe.settings import Settings
from stillframe.watches.digest_detail import DigestDetail
from stillframe_api.document import add_documentation, openapi
from stillframe_api.routes import add_routes

from .postman import collection

ROOT = Path(__file__).resolve().parents[1]
DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def options_schema() -> dict[str, Any]:
    """The schema of the render options, with wire names."""
    return {**DIALECT, **RenderOptions.model_json_schema()}


def environment_schema() -> dict[str, Any]:
    """The schema of `environments/NAME.toml`. Every value is optional: a preset has those that have no default."""
    schema = DeployConfig.model_json_schema()
    del schema["required"], schema["properties"][ENVIRONMENT_KEY]
    schema["properties"] = {SIZE_KEY: {"enum": list(PRESETS), "default": "small"}, **schema["properties"]}
    return {**DIALECT, **schema, "title": "Environment", "description": "One deployment: see docs/deploy.md."}


def event_schema() -> dict[str, Any]:
    """The schema of an event's detail. The version is in the name of its file, too: that of version 1 stays."""
    return {**DIALECT, **EventDetail.json_schema()}


def digest_schema() -> dict[str, Any]:
    """The schema of the detail of a digest, whose version is that of the others."""
    return {**DIALECT, **DigestDetail.json_schema()}


def postman_collection() -> dict[str, Any]:
    """The requests of the API, with keys. No route is called, so the routes need nothing that they would use."""
    app = APIGatewayHttpResolver(enable_validation=True)
    nothing: Any = None
    add_routes(app, nothing)
    add_documentation(app, has_keys=True)
    return collection(openapi(app, has_keys=True))


def variables_page() -> str:
    """A table of the environment variables of a process, from the settings model."""
    schema = Settings.model_json_schema()
    rows = [
        f"| `{name}` | {_default(schema, name)} | {_range(field)} | {field.get('description', '')} |"
        for name, field in schema["properties"].items()
        if not name.startswith("AWS_")
    ]
    return "\n".join([VARIABLES_HEAD, *rows]) + "\n"


def _default(schema: dict[str, Any], name: str) -> str:
    if name in schema["required"]:
        return "required"
    default = schema["properties"][name].get("default")
    return "" if default in (None, "", []) else f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _range(field: dict[str, Any]) -> str:
    """The smallest and the largest value."""
    parts = [field, *field.get("anyOf", [])]
    bounds = [next((each[key] for each in parts if key in each), None) for key in ("minimum", "maximum")]
    return "" if None in bounds else f"{bounds[0]:,} to {bounds[1]:,}"


VARIABLES_HEAD = """# Environment variables

What a worker, a command and a producer read from their environment. CDK sets them for the function and the fleet, and
`stillframe dev` prints them for the embedded environment. Commands also find them from the outputs of a stack
(`--stack`). Lists are separated by commas. `AWS_ENDPOINT_URL`, `AWS_REGION` and the other variables of the AWS SDKs
work as usual. A consumer writes its heartbeat to `STILLFRAME_HEARTBEAT` ([container](container.md)).

An invalid value ends the process at its start, with the name of the variable and what it should be.

This page is written by `make schema`.

| variable | default | range | meaning |
| --- | --- | --- | --- |"""

SCHEMAS = {
    "docs/options.schema.json": options_schema,
    "docs/environment.schema.json": environment_schema,
    f"docs/event-v{VERSION}.schema.json": event_schema,
    f"docs/digest-v{VERSION}.schema.json": digest_schema,
    "docs/stillframe.postman.json": postman_collection,
}


VARIABLES_PATH = "docs/environment-variables.md"


def text_of(schema: dict[str, Any]) -> str:
    """The schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, schema in SCHEMAS.items():
        (ROOT / path).write_text(text_of(schema()))
    (ROOT / VARIABLES_PATH).write_text(variables_page())
