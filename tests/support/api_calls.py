"""Everything that callers ask of the API, in one process with the handler of the function. Run it with `python -m`."""

from __future__ import annotations

import json
import os
from typing import Any

from stillframe_api.handler import handler

PAGE = "https://example.com/"
# Captured and failed before this runs.
CAPTURED, FAILED = "task-1", "api-failed"
# Variables with a key of the tenant acme, and the path of a signed link.
API_KEY, LINK = "TEST_API_KEY", "TEST_LINK"


class Context:
    """The context of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        return 3000


def call(method: str, path: str, *allowed: int, body: Any = None, query: str = "", prefer: str = "") -> None:
    """Send one event to the handler. Fails if the answer has another status."""
    event: dict[str, Any] = {
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "content-type": "application/json",
            "prefer": prefer,
            "authorization": f"Bearer {os.environ[API_KEY]}",
        },
        "queryStringParameters": dict(part.split("=") for part in query.split("&") if part),
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
        "body": json.dumps(body) if body is not None else "",
    }
    answer = handler(event, Context())
    assert answer["statusCode"] in allowed, (path, answer)


def main() -> None:
    """Use every route, with every kind of answer that makes other calls of AWS."""
    call("POST", "/v1/screenshots", 202, body={"url": PAGE, "requestId": "api-1"}, prefer="wait=1")
    call("POST", "/v1/screenshots", 207, body=[{"url": PAGE, "requestId": f"api-{each}"} for each in range(3)])
    call("GET", "/v1/screenshots", 200)
    call("GET", "/v1/screenshots", 200, query="status=failed")
    call("GET", "/v1/usage", 200)
    call("GET", os.environ[LINK], 202)
    for path in ("/health", "/openapi.json", "/docs"):
        call("GET", path, 200)
    if os.environ["STILLFRAME_API_AUTHORISATION"] == "gateway":
        call("GET", f"/v1/screenshots/{CAPTURED}", 200)
        call("GET", f"/v1/screenshots/{CAPTURED}/image", 303)
        call("POST", f"/v1/screenshots/{FAILED}/retry", 202)


if __name__ == "__main__":
    main()
