"""A check for schemathesis: in a list, each request that the document does not allow is refused.

The check of its own, `negative_data_rejection`, looks at the HTTP status, and that of a list says nothing of its items.
"""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

MULTI_STATUS, BAD_REQUEST = 207, 400
REFERENCE = {"$ref": "#/components/schemas/CaptureRequest"}


@schemathesis.check
def each_wrong_item_is_refused(ctx: Any, response: Any, case: Any) -> None:
    """Compare the answer to each item with what the document says of the item."""
    if response.status_code != MULTI_STATUS:
        return
    sent = json.loads(response.request.body)
    document = case.operation.schema.raw_schema
    validator = Draft202012Validator({**REFERENCE, "components": document["components"]})
    answers = response.json()["items"]
    assert len(answers) == len(sent)
    accepted = [item for item, answer in zip(sent, answers, strict=True) if answer["status"] < BAD_REQUEST]
    wrong = [error.message for item in accepted for error in validator.iter_errors(item)]
    assert not wrong, f"accepted, although {wrong[0][:500]}"
