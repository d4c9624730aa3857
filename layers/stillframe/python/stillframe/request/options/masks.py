"""What the screenshot must not show: elements that are covered or blurred."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from .content import Selectors
from .wire import WireModel

# As in Playwright: a colour that hardly any page has.
DEFAULT_COLOR = "#FF00FF"

HexColor = Annotated[
    str, Field(pattern=r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", description="a colour like #FF00FF, in hex")
]


class MaskOptions(WireModel):
    """Elements that are covered with a box of one colour, or blurred, right before the screenshot."""

    mask: Selectors = ()
    mask_color: HexColor = DEFAULT_COLOR
    blur: Selectors = ()
    # The standard deviation of the blur in CSS pixels (Filter Effects, 5).
    blur_radius: Annotated[int, Field(ge=1, le=100, strict=True)] = 10

    @model_validator(mode="after")
    def refuse_looks_of_nothing(self) -> Self:
        problems = {
            "maskColor needs mask: it is the colour of the masks": "mask_color" in self.model_fields_set
            and not self.mask,
            "blurRadius needs blur: it says how much is blurred": "blur_radius" in self.model_fields_set
            and not self.blur,
        }
        found = [problem for problem, is_present in problems.items() if is_present]
        if found:
            raise ValueError("; ".join(found))
        return self
