"""HTTP as the clients need it: requests that are repeated while that helps, and problems as errors."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

# Each waits twice as long as the one before, half of it at random.
TRIES = 6
FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 20.0
CONNECT_SECONDS = 5.0
READ_SECONDS = 35.0
REPEATED = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

Sign = Callable[[str, str, bytes, Mapping[str, str]], Mapping[str, str]]


class ApiError(Exception):
    """What the API answers when it does not do as asked (RFC 9457). `status` is 0 if there was no answer at all."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}" if code else detail)
        self.status = status
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no error."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Transport:
    """Sends requests, again and again while the answer is one that another attempt may change.

    A repeated POST is safe: its request has an id, or gets the same one from its content.
    """

    sign: Sign
    tries: int = TRIES
    sleep: Callable[[float], Any] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform
    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(
            maxsize=32, retries=False, timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        )
    )

    def call(self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Call the API. Raises ApiError."""
        content = b"" if body is None else json.dumps(body).encode()
        given = {**({"Content-Type": "application/json"} if content else {}), **(headers or {})}
        return self._repeat(
            url, lambda: self._send(method, url, content, {**given, **self.sign(method, url, content, given)})
        )

    def download(self, url: str) -> bytes:
        """What a presigned link leads to. It needs no authorisation, and must not get any. Raises ApiError."""
        return self._repeat(url, lambda: self._send("GET", url, b"", {})).body

    def _repeat(self, url: str, send: Callable[[], Answer]) -> Answer:
        pause = FIRST_PAUSE_SECONDS
        for left in reversed(range(self.tries)):
            try:
                answer = send()
            except HTTPError as error:
                problem, asked = ApiError(0, "", f"no answer from {_origin(url)}: {_reason(error)}"), None
            else:
                if answer.status < HTTPStatus.BAD_REQUEST:
                    return answer
                problem, asked = _problem_of(answer), answer.headers.get("Retry-After", "")
                if answer.status not in REPEATED:
                    raise problem
            if not left:
                break
            wanted = float(asked) if asked and asked.isdigit() else 0.0
            if wanted > MAX_PAUSE_SECONDS:
                break
            self.sleep(max(wanted, self.uniform(pause / 2, pause)))
            pause = min(pause * 2, MAX_PAUSE_SECONDS)
        raise problem

    def _send(self, method: str, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        answer = self.pool.request(method, url, body=content or None, headers=dict(headers), redirect=False)
        return Answer(answer.status, answer.headers, answer.data)


def _origin(url: str) -> str:
    """Where a URL leads, without its path: a presigned link is worth an image to whoever reads it in a log."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.partition('/')[0]}" if mark else url.partition("/")[0]


def _reason(error: HTTPError) -> str:
    """What went wrong, without the object of urllib3 that some of its errors begin with."""
    return re.sub(r"^<[^>]*>: |^\w+\(.*?\): ", "", str(error))


def _problem_of(answer: Answer) -> ApiError:
    try:
        problem = answer.json()
        return ApiError(
            answer.status, str(problem.get("code", "")), str(problem.get("detail") or problem.get("message"))
        )
    except (ValueError, AttributeError):
        # What is not from the API itself: API Gateway, S3 or a proxy.
        return ApiError(answer.status, "", f"HTTP status {answer.status}")
