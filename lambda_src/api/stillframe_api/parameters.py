"""The parameters of path, query and header: what each may be, and the sentence that says so."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query

from stillframe.record_list import MAX_CURSOR_CHARS
from stillframe.request.options.shots import NAME_PATTERN, NAME_RULE
from stillframe.request.options.wire import ID_PATTERN, ID_RULE
from stillframe.table.record import Status

from .bodies import KEY

QUOTE = '"'
ScreenshotId = Annotated[str, Path(pattern=ID_PATTERN, description=f"the id of a screenshot: {ID_RULE}")]
ExtraName = Annotated[
    str,
    Path(
        pattern=r"^(thumbnail|html|text|mhtml|har|elements|links|difference|textDifference|element-[1-9][0-9]{0,2})$",
        description="an extra object that the request asked for",
    ),
]
ShotName = Annotated[str, Path(pattern=NAME_PATTERN, description=f"the name of a shot: {NAME_RULE}")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=KEY,
        # In quotation marks it is a string of RFC 9651, which the draft of this header wants.
        pattern=f"{ID_PATTERN}|{ID_PATTERN.replace('^', '^' + QUOTE).replace('$', QUOTE + '$')}",
        description="the id of the one screenshot, like requestId, with or without quotation marks",
    ),
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
TIME_RULE = "a time such as 2027-01-31T12:00:00Z"
LINK_RULE = "a part of a signed link, as `stillframe sign` writes it"
# What a library says of a wrong one is a regular expression.
RULES = {
    "screenshot_id": ID_RULE,
    KEY.lower(): ID_RULE,
    "kind": "thumbnail, html, text, mhtml, har, elements, links, difference, textDifference or element-N",
    "name": NAME_RULE,
    "status": "queued, processing, success or failed",
    "since": TIME_RULE,
    "cursor": f"1 to {MAX_CURSOR_CHARS} characters that a list has returned",
    "payload": LINK_RULE,
    "signature": LINK_RULE,
}


def describe_parameters(errors: Any) -> str:
    """What is right for each parameter that is wrong, in one line. What was given is not quoted."""
    return "; ".join(_describe(str(each["loc"][-1]), each["msg"]) for each in errors)


def _describe(name: str, message: str) -> str:
    rule = RULES.get(name.lower())
    shown = KEY if name.lower() == KEY.lower() else name
    return f"{shown}: must be {rule}" if rule else f"{shown}: {message}"
