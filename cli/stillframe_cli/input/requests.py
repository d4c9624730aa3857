"""Turns arguments and the lines of a file into requests. A line that is wrong does not refuse the others."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from stillframe.errors import CaptureError, InvalidRequest
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest, without_credentials
from stillframe.table.record import Status

from ..console import print_note
from .request_key import request_key
from .scheme_probe import SchemeProbe
from .text import STDIN, read_text, split_lines
from .urls import WITH_SCHEME, complete_url

F = TypeVar("F", bound=Callable[..., Any])
# A `#` inside a URL has no blank before it.
COMMENT = re.compile(r"(^|\s+)#.*")
MAX_SHOWN = 10
PROBES = 16
NOTHING = "There is nothing to capture: give a URL, or use --file with one URL per line."


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody wrote, and where: `argument 1`, `line 7`."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is no request, with what is wrong with it."""

    line: Line
    problem: str

    def to_result(self) -> dict[str, Any]:
        """A result of `shoot` for it: nothing that was given is without one. Its id is its own, or its place."""
        try:
            body = json.loads(self.line.text)
        except ValueError:
            body = None
        given = body if isinstance(body, dict) else {"url": self.line.text}
        names = {name: value if isinstance(value := given.get(name), str) else None for name in ("requestId", "url")}
        return {
            "id": names["requestId"] or self.line.place,
            "url": without_credentials(names["url"] or ""),
            "outcome": OutcomeKind.FAILED.value,
            "status": Status.FAILED.value,
            "errorCode": InvalidRequest.code,
            "errorMessage": self.problem,
            "place": self.line.place,
        }


@dataclass(slots=True)
class Reading:
    """What was read: the requests, the lines that were left out, and the number of repeated lines."""

    requests: list[CaptureRequest] = field(default_factory=list)
    refused: list[RefusedLine] = field(default_factory=list)
    repeated: int = 0

    @property
    def problems(self) -> list[str]:
        """Each with the place of its line."""
        return [f"{each.line.place}: {each.problem}" for each in self.refused]

    def with_ids(self) -> list[CaptureRequest]:
        """The requests with a new id for each that has none, so that sending a page again is a new screenshot."""
        return [
            each if each.request_id or each.fresh_for else each.model_copy(update={"request_id": uuid.uuid4().hex})
            for each in self.requests
        ]


def input_options(command: F) -> F:
    """Add `--file` and `--strict`. The command gets the file's path as `file`."""
    strict = click.option(
        "--strict", is_flag=True, help="Do nothing if any line is wrong. Otherwise the other lines are processed."
    )
    file = click.option(
        "--file",
        "file",
        metavar="FILE",
        help="Read URLs or JSON requests from this file, one per line; - reads standard input.",
    )
    return file(strict(command))


def read_requests(
    urls: Iterable[str],
    file: str | None,
    options: dict[str, Any],
    request_id: str | None = None,
    strict: bool = False,
    probe: SchemeProbe | None = None,
) -> Reading:
    """Read requests from arguments (`-` for standard input), and from a file with a URL or JSON request on each line.

    Notes on stderr name the lines that are wrong, and count those that repeat others. Raises click.UsageError when no
    line is right, or with `strict` when one is wrong.
    """
    lines = list(_read_lines(urls, file))
    if not lines:
        raise click.UsageError(NOTHING)
    if request_id is not None and len(lines) > 1:
        raise click.UsageError("--request-id names one screenshot, but there are several URLs.")
    reading = _read_all(lines, _Parser(options, request_id, probe or SchemeProbe()))
    if reading.problems and (strict or not reading.requests):
        raise click.UsageError("\n".join(_shorten(reading.problems)))
    for problem in _shorten(reading.problems):
        print_note(f"left out: {problem}")
    if reading.repeated:
        times = "1 line repeats another" if reading.repeated == 1 else f"{reading.repeated} lines repeat others"
        print_note(f"{times}; each page is captured once.")
    return reading


def _read_lines(urls: Iterable[str], file: str | None) -> Iterable[Line]:
    for number, url in enumerate(urls, 1):
        if url == STDIN:
            yield from _lines_of(STDIN, "standard input")
        else:
            yield Line(f"argument {number}", url.strip())
    if file is not None:
        yield from _lines_of(file, "--file")


def _lines_of(path: str, option: str) -> Iterable[Line]:
    for number, line in enumerate(split_lines(read_text(path, option)), 1):
        text = line.strip()
        if not text.startswith("{"):
            text = COMMENT.sub("", text).strip("\"'")
        if text:
            yield Line(f"line {number}", text)


def _read_all(lines: Sequence[Line], parser: _Parser) -> Reading:
    reading = Reading()
    keys: set[str] = set()
    places: dict[str, str] = {}
    for line, result in zip(lines, _parse_all(lines, parser), strict=True):
        if isinstance(result, str):
            reading.refused.append(RefusedLine(line, result))
        elif (key := request_key(result)) in keys:
            reading.repeated += 1
        elif result.request_id is not None and result.request_id in places:
            first = places[result.request_id]
            problem = f"requestId {result.request_id} is that of another page, of {first}"
            reading.refused.append(RefusedLine(line, problem))
        else:
            keys.add(key)
            if result.request_id is not None:
                places[result.request_id] = line.place
            reading.requests.append(result)
    return reading


def _parse_all(lines: Sequence[Line], parser: _Parser) -> Iterable[CaptureRequest | str]:
    if all(WITH_SCHEME.match(line.text) for line in lines):
        return map(parser.parse, lines)
    # A bare host is contacted, which takes a moment each.
    with ThreadPoolExecutor(PROBES, thread_name_prefix="probe") as pool:
        return list(pool.map(parser.parse, lines))


class _Parser:
    """Parses one line into a request, or returns what is wrong with it."""

    def __init__(self, options: dict[str, Any], request_id: str | None, probe: SchemeProbe) -> None:
        self._options = options
        self._request_id = request_id
        self._probe = probe

    def parse(self, line: Line) -> CaptureRequest | str:
        try:
            body = self._body(line.text)
            body["options"] = {**self._options, **body.get("options", {})}
            if self._request_id is not None:
                body["requestId"] = self._request_id
            # Checks everything before the URL, which only then may be completed.
            request = CaptureRequest.from_body(json.dumps(body))
            request = request.model_copy(update={"url": complete_url(request.url, self._probe)})
            request.render_options()
        except CaptureError as error:
            return error.message
        except ValueError as error:
            return str(error)
        return request

    def _body(self, text: str) -> dict[str, Any]:
        if not text.startswith(("{", "[")):
            return {"url": text}
        try:
            body = json.loads(text)
        except ValueError as error:
            raise ValueError(f"is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise InvalidRequest('is not a JSON object; put one request on each line: {"url": "https://example.com"}')
        if not isinstance(body.get("options", {}), dict):
            raise InvalidRequest('options must be a JSON object, for example {"fullPage": true}')
        return body


def _shorten(problems: Sequence[str]) -> list[str]:
    more = len(problems) - MAX_SHOWN
    return [*problems[:MAX_SHOWN], *([f"... and {more} more"] if more > 0 else [])]
