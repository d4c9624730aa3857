"""How one page compares with its baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stillframe.comparison.difference import Difference, RegionKind, compare
from stillframe.comparison.pixels import Box
from stillframe.image.element import PageElement, element_at
from stillframe.request.options import MAX_PIXELS, ComparisonRules

from ..difference_report import MAX_LISTED, MAX_REGIONS, describe, describe_region
from .baseline import BaselineImage


class CheckStatus(StrEnum):
    """How a page was found."""

    SAME = "same"
    CHANGED = "changed"
    # There is no image of it in the baseline.
    NEW = "new"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as it is now. `full_height` is that of the page in CSS pixels if the image ends before it."""

    data: bytes
    extension: str
    ignored: list[list[int]] | None = None
    elements: list[PageElement] = field(default_factory=list)
    full_height: int | None = None


@dataclass(frozen=True, slots=True)
class PageCheck:
    """A page with what was found. `before` and `after` are encoded images; `problem` says why there is no result."""

    name: str
    url: str
    status: CheckStatus
    seconds: float = 0.0
    before: BaselineImage | None = None
    after: PageImage | None = None
    difference: Difference | None = None
    error_code: str | None = None
    problem: str | None = None

    @property
    def full_height(self) -> int | None:
        """The height of the page in CSS pixels if only its upper part was compared."""
        return self.after.full_height if self.after is not None else None

    @property
    def summary(self) -> str:
        """What was found, in a sentence or two."""
        if self.full_height is None:
            return self._found
        part = f"Only its upper part was compared: the page is {self.full_height:,} CSS pixels high (maxHeight)."
        return f"{self._found} {part}"

    @property
    def _found(self) -> str:
        if self.status is CheckStatus.FAILED:
            return f"{self.error_code}: {self.problem}" if self.error_code else str(self.problem)
        if self.status is CheckStatus.NEW or self.difference is None:
            return "There is no image of this page in the baseline."
        if self.status is CheckStatus.SAME and not self.difference.is_empty:
            return f"{self.difference.pixels:.4%} of the pixels changed, which is allowed."
        return describe(self.difference)

    def regions(self, count: int = MAX_REGIONS) -> list[dict[str, Any]]:
        """The largest regions that changed, with the element that is there."""
        elements = self.after.elements if self.after is not None else []
        found = []
        for region in (self.difference.regions if self.difference is not None else ())[:count]:
            described = {"kind": region.kind.value, "box": list(region.box), "pixels": region.pixels}
            element = element_at(elements, region.box) if region.kind is not RegionKind.REMOVED else None
            if element is not None:
                described |= {"selector": element.selector, "text": element.text}
            found.append(described)
        return found

    @property
    def details(self) -> list[str]:
        """A line for each of the largest regions, and for everything that moved."""
        lines = [describe_region(region) for region in self.regions(MAX_LISTED)]
        more = len(self.difference.regions) - MAX_LISTED if self.difference is not None else 0
        if more > 0:
            lines.append(f"... and {more} smaller regions")
        for move in (self.difference.moved if self.difference is not None else ())[:MAX_LISTED]:
            direction = "down" if move.by > 0 else "up"
            lines.append(f"moved {direction} by {abs(move.by)} pixels: the lines {move.top} to {move.bottom}")
        return lines

    def to_wire(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        difference = self.difference
        return {
            "name": self.name,
            "url": self.url,
            "status": self.status.value,
            "difference": round(difference.pixels, 6) if difference is not None else None,
            "regions": self.regions(),
            "moved": [{"top": each.top, "bottom": each.bottom, "by": each.by} for each in difference.moved]
            if difference is not None
            else [],
            "pageHeight": self.full_height,
            "errorCode": self.error_code,
            "errorMessage": self.problem,
        }


def check_page(
    name: str, url: str, before: BaselineImage | None, after: PageImage, rules: ComparisonRules, seconds: float
) -> PageCheck:
    """Compare a page with its image in the baseline."""
    if before is None:
        return PageCheck(name, url, CheckStatus.NEW, seconds, after=after)
    ignored: list[Box] = [(box[0], box[1], box[2], box[3]) for box in after.ignored or ()]
    try:
        found = compare(
            before.data, after.data, MAX_PIXELS, rules, ignored_before=before.ignored, ignored_after=ignored
        )
    except ValueError as error:
        problem = f"{before.path} and the page cannot be compared: {error}"
        return PageCheck(name, url, CheckStatus.FAILED, seconds, before, after, problem=problem)
    status = CheckStatus.CHANGED if found.is_over_share else CheckStatus.SAME
    return PageCheck(name, url, status, seconds, before, after, found)
