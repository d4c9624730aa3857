"""What a capture learns about its page: kept in the record, and in part on the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self
from urllib.parse import quote, unquote

from pydantic import Field

from stillframe.image.extra import ExtraKind
from stillframe.request.options.wire import WireModel

# S3 allows 2 KB of user metadata per object, names included. Only the title and the URL can grow.
MAX_METADATA_TITLE = 300
MAX_METADATA_URL = 600
# Facts of a comparison, by their wire names, and the extra objects that it makes.
COMPARISON = (
    "comparedTo",
    "comparedToUrl",
    "changed",
    "changedSince",
    "unconfirmed",
    "difference",
    "changedRegions",
    "moved",
    "textChanges",
)
COMPARISON_EXTRAS = (ExtraKind.DIFFERENCE, ExtraKind.TEXT_DIFFERENCE)
OVERTAKEN = "another capture of this request was completed in the meantime"


class PageFacts(WireModel):
    """What the page said about itself, declared here once: a record has the same fields.

    `page_height` and `page_width` are the page's full size in CSS pixels, each present when it was capped. `redirects`
    are the URLs on the way to the final one; `timings` are milliseconds since the start of the capture;
    `tls_expires_at` is in seconds since the epoch. `unsettled` is the phase the page did not finish in time, or
    `network` if answers were waited for in vain (`unanswered` has their URLs), or the network error with which the
    document broke off. `scroller` is the element that scrolls in place of the window, and whose content the full page
    shows. `blank` says that the screenshot is of one colour; `blocked` counts refused connections by decision.
    `cookie_banner` names the banner that was answered. `perceptual_hash` is 64 bits in hex; `left_out` names the extras
    that were requested and not made, with the reason. `difference` is the share of pixels that changed since the
    capture `compared_to`, 0 to 1, whose image is at `compared_to_url`; `comparison_problem` says why nothing was
    compared. `changed_regions` are the largest changes, each with its kind, its box (left, top, right, bottom in
    pixels), its pixels and the element that is there; `moved` are the lines that are `by` pixels lower than before.
    `ignored_boxes` are not compared. `text_changes` counts the lines that were added to and removed from the saved
    text. `changed_since` is the earlier capture that has shown, and reported, the same change; `unconfirmed` says that
    the next capture has to confirm the change. `follows` is the capture that was the last one of the request when this
    one began, which only the image keeps.
    """

    http_status: int | None = None
    final_url: str | None = None
    title: str | None = None
    description: str | None = None
    page_content_type: str | None = None
    redirects: list[str] | None = None
    tls_issuer: str | None = None
    tls_expires_at: int | None = None
    console_errors: list[str] | None = None
    requests: int | None = None
    failed_requests: int | None = None
    transferred_bytes: int | None = None
    timings: dict[str, int] | None = None
    page_height: int | None = None
    page_width: int | None = None
    height_capped: bool | None = None
    settled: bool | None = None
    unsettled: str | None = None
    unanswered: list[str] | None = None
    scroller: str | None = None
    blank: bool | None = None
    blocked: dict[str, int] | None = None
    ads_blocked: int | None = None
    cookie_banner: str | None = None
    perceptual_hash: str | None = None
    left_out: dict[str, str] | None = None
    compared_to: str | None = None
    compared_to_url: str | None = None
    changed: bool | None = None
    changed_since: str | None = None
    unconfirmed: bool | None = None
    follows: Annotated[str | None, Field(exclude=True)] = None
    difference: float | None = None
    changed_regions: list[dict[str, Any]] | None = None
    moved: list[dict[str, int]] | None = None
    ignored_boxes: list[list[int]] | None = None
    text_changes: dict[str, int] | None = None
    comparison_problem: str | None = None

    @property
    def reports_change(self) -> bool:
        """Whether the capture shows a change that none before it has reported."""
        return bool(self.changed) and self.changed_since is None

    def to_metadata(self) -> dict[str, str]:
        """The facts that fit an object's metadata, so that an adopted image still completes its record. ASCII only."""
        values = {
            "http-status": str(self.http_status) if self.http_status else "",
            "final-url": quote(self.final_url or "", safe="/:?&=#%~"),
            "title": _quoted_prefix(self.title or "", MAX_METADATA_TITLE),
            "page-height": str(self.page_height) if self.height_capped else "",
            "perceptual-hash": self.perceptual_hash or "",
            "compared-to": self.compared_to or "",
            "difference": "" if self.difference is None else str(self.difference),
            # A difference that the request allows is no change.
            "changed": "" if self.changed is None else str(self.changed).lower(),
            "changed-since": self.changed_since or "",
            "unconfirmed": "true" if self.unconfirmed else "",
            # Most captures follow the one that they are compared with.
            "follows": self.follows if self.follows and self.follows != self.compared_to else "",
        }
        if len(values["final-url"]) > MAX_METADATA_URL:
            values["final-url"] = ""
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_metadata(cls, metadata: dict[str, str]) -> Self:
        """Read back the facts that an object's metadata has kept."""
        status, height = metadata.get("http-status"), metadata.get("page-height")
        difference = float(metadata["difference"]) if "difference" in metadata else None
        return cls(
            http_status=int(status) if status else None,
            final_url=metadata.get("final-url"),
            title=unquote(metadata["title"]) if "title" in metadata else None,
            page_height=int(height) if height else None,
            height_capped=True if height else None,
            perceptual_hash=metadata.get("perceptual-hash"),
            compared_to=metadata.get("compared-to"),
            changed=metadata.get("changed", str(difference > 0).lower()) == "true" if difference is not None else None,
            difference=difference,
            changed_since=metadata.get("changed-since"),
            unconfirmed=True if "unconfirmed" in metadata else None,
            follows=metadata.get("follows", metadata.get("compared-to")),
        )

    def compared(self, earlier_id: str, changed: bool, difference: float, **details: Any) -> Self:
        """The same facts with the result of a comparison; `details` are `changed_regions` and `moved`."""
        result = {"compared_to": earlier_id, "changed": changed, "difference": difference}
        return self.model_copy(update=result | details)

    def not_compared(self, problem: str) -> Self:
        """The same facts with the reason why nothing was compared."""
        return self.model_copy(update={"comparison_problem": problem})

    def uncompared(self, problem: str) -> Self:
        """The same facts without the result of a comparison, and with the reason why."""
        return type(self).model_validate(without_comparison(self.to_wire(), problem))

    def to_wire(self) -> dict[str, Any]:
        """The known facts, by wire name."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def without_comparison(facts: Mapping[str, Any], problem: str) -> dict[str, Any]:
    """What completes a record, by wire name, without the result of a comparison, and with the reason why."""
    kept = {name: value for name, value in facts.items() if name not in COMPARISON}
    extras = {kind: url for kind, url in kept.pop("extras", {}).items() if kind not in COMPARISON_EXTRAS}
    return {**kept, "comparisonProblem": problem, **({"extras": extras} if extras else {})}


def _quoted_prefix(text: str, limit: int) -> str:
    """The longest prefix of whole characters that fits the limit once percent-encoded."""
    kept = ""
    for char in text:
        encoded = quote(char, safe=" ")
        if len(kept) + len(encoded) > limit:
            break
        kept += encoded
    return kept.strip()
