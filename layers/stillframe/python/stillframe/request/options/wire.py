"""The base of all models on the wire, and the types that they share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

# Strict: `"yes"` and `1` are rejected, because they may be meant for another option.
Flag = Annotated[bool, Field(strict=True)]
# A CSS selector. Only the browser can tell whether it is valid.
Selector = Annotated[str, Field(min_length=1, max_length=1000, description="a CSS selector of 1 to 1000 characters")]

# A screenshot id, as a request may choose it.
ID_PATTERN = r"^[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}$"
ID_RULE = "1 to 128 of A-Z a-z 0-9 . _ : -, not starting with a dot"


class WireModel(BaseModel):
    """Immutable, rejects unknown names, snake_case in Python and camelCase on the wire."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        allow_inf_nan=False,
        # A value may be a secret, and an error may be logged.
        hide_input_in_errors=True,
        # Each model would compile a validator of its own at import. Most are only parts of one that has them inside.
        defer_build=True,
    )
