"""Writes a Postman collection (format 2.1.0) of the API's OpenAPI document; Bruno and Insomnia import it as well."""

from __future__ import annotations

import json
import re
from typing import Any

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def collection(document: dict[str, Any]) -> dict[str, Any]:
    """A request for each operation of the document, with the examples that it has."""
    items = [
        _item(method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return {
        "info": {"name": "Stillframe", "description": document["info"]["summary"], "schema": SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{key}}", "type": "string"}]},
        "variable": [{"key": "api", "value": "http://localhost:8080"}, {"key": "key", "value": ""}],
        "item": items,
    }


def _item(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    parameters = operation.get("parameters", [])
    parts = re.sub(r"\{(\w+)\}", r":\1", path).strip("/").split("/")
    url = {
        "raw": "{{api}}/" + "/".join(parts),
        "host": ["{{api}}"],
        "path": parts,
        "variable": [_value(each) for each in parameters if each["in"] == "path"],
        "query": [{**_value(each), "disabled": True} for each in parameters if each["in"] == "query"],
    }
    headers = [{**_value(each), "disabled": True} for each in parameters if each["in"] == "header"]
    request: dict[str, Any] = {"method": method.upper(), "url": url, "header": headers}
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        request["header"] = [{"key": "Content-Type", "value": "application/json"}, *headers]
        request["body"] = {"mode": "raw", "raw": json.dumps(_example_of(content), indent=2)}
    return {"name": operation.get("summary") or operation["operationId"], "request": request}


def _example_of(content: dict[str, Any]) -> Any:
    examples: list[dict[str, Any]] = list(content.get("examples", {}).values())
    return content.get("example") or (examples[0]["value"] if examples else {})


def _value(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": parameter["name"],
        "value": str(parameter.get("example", "")),
        "description": parameter.get("description", ""),
    }
