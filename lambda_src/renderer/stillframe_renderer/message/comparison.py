"""Comparing a screenshot with an earlier capture of the same page."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stillframe.clock import Deadline
from stillframe.image.element import Box, element_at
from stillframe.image.extra import Extra, ExtraKind
from stillframe.image.ownership import PAYLOAD_HASH, SHA256
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.image.store import ImageStore
from stillframe.request.message import Delivery
from stillframe.request.options import PREVIOUS, ComparisonRules
from stillframe.table.claim import Claim
from stillframe.table.last_capture import EarlierCapture, LastCaptures
from stillframe.table.record import Record

if TYPE_CHECKING:
    from stillframe.comparison.difference import Region

logger = logging.getLogger(__name__)

# Comparing takes 20 bytes of memory for each pixel, and this time if all of them changed.
MAX_PIXELS = 20_000_000
SECONDS_PER_PIXEL = 0.4e-6
TEXT_FILE = Extra.page(ExtraKind.TEXT, b"").file
# The record has the largest ones; the image `difference` shows all.
MAX_REGIONS = 20
MAX_MOVES = 20
# Storing and completing come after the comparison.
RESERVED_SECONDS = 1.0


class Comparer:
    """Compares a screenshot with the capture that its request names. A problem is recorded, and stops nothing."""

    def __init__(self, last_captures: LastCaptures, images: ImageStore) -> None:
        self._last_captures = last_captures
        self._images = images

    def compare(
        self, delivery: Delivery, compare_to: str, rules: ComparisonRules, result: RenderResult, deadline: Deadline
    ) -> RenderResult:
        """The same result with what changed. Raises ServiceUnavailable."""
        earlier = self._earlier(delivery, compare_to)
        if earlier is None:
            is_first = "there is no earlier capture of this request"
            return _not_compared(result, is_first if compare_to == PREVIOUS else f"there is no capture {compare_to}")
        if earlier.record is not None and earlier.record.tenant != delivery.tenant:
            # As if it did not exist: a tenant learns nothing about another's.
            return _not_compared(result, f"there is no capture {compare_to}")
        if earlier.record is not None and not _may_compare(delivery, earlier.record):
            return _not_compared(result, f"the capture {compare_to} is of another request")
        stored = self._images.read(earlier.s3_key, _expected_metadata(delivery, earlier))
        if stored is None:
            return _not_compared(result, f"the image of {earlier.id} is gone")
        needed = RESERVED_SECONDS + result.width * result.height * SECONDS_PER_PIXEL
        if deadline.remaining_seconds() < needed:
            return _not_compared(result, "the job ran out of time")
        before, metadata = stored
        return self._with_text(_compared(result, earlier, before, rules), earlier, metadata)

    def remember(self, delivery: Delivery, claim: Claim, image: StoredImage, expires_at: int) -> None:
        """The next capture of the same request is compared with this one. Raises ServiceUnavailable."""
        capture = EarlierCapture(delivery.id, image.s3_key, image.facts.ignored_boxes or ())
        request = delivery.request
        self._last_captures.replace(request.payload_hash, delivery.tenant, capture, claim.claimed_at_ms, expires_at)

    def _with_text(self, result: RenderResult, earlier: EarlierCapture, metadata: Mapping[str, str]) -> RenderResult:
        """The result with what changed in the text, if both captures have saved it. Raises ServiceUnavailable."""
        after = next((extra for extra in result.extras if extra.file == TEXT_FILE), None)
        if after is None or result.facts.compared_to is None:
            return result
        before = self._images.read_extra(earlier.s3_key, metadata, TEXT_FILE)
        if before is None:
            return result
        from stillframe.comparison.text_changes import text_changes

        try:
            changes = text_changes(before.decode(errors="replace"), after.data.decode(errors="replace"))
        except ValueError as error:
            left_out = {**(result.facts.left_out or {}), ExtraKind.TEXT_DIFFERENCE.value: str(error)}
            return replace(result, facts=result.facts.model_copy(update={"left_out": left_out}))
        counts = {"added": changes.added, "removed": changes.removed}
        facts = result.facts.model_copy(update={"text_changes": counts})
        diff = (Extra.text_difference(changes.diff),) if changes.diff else ()
        return replace(result, facts=facts, extras=(*result.extras, *diff))

    def _earlier(self, delivery: Delivery, compare_to: str) -> EarlierCapture | None:
        if compare_to != PREVIOUS:
            return self._last_captures.by_id(compare_to)
        last = self._last_captures.last(delivery.request.payload_hash, delivery.tenant)
        return last if last is not None and last.id != delivery.id else None


def _may_compare(delivery: Delivery, earlier: Record) -> bool:
    """Whether the requester may learn something about an earlier capture, which its id alone does not entitle them to.

    Both belong to the same tenant, or to none. Without a tenant, the captures must be of the same request (URL, options
    and secrets; only what it was compared with, and how, may differ), which shows nothing that the requester could not
    capture.
    """
    if delivery.tenant is not None:
        return True
    return delivery.request.payload_hash_compared_as(earlier.options) == earlier.payload_hash


def _expected_metadata(delivery: Delivery, earlier: EarlierCapture) -> dict[str, str]:
    """What the object of an earlier capture must say: its id may name another page by now."""
    if earlier.record is not None:
        return {SHA256: earlier.record.sha256 or ""}
    return {PAYLOAD_HASH: delivery.request.payload_hash}


def _compared(result: RenderResult, earlier: EarlierCapture, before: bytes, rules: ComparisonRules) -> RenderResult:
    # Imported late: Pillow and NumPy take 140 to 200 ms of a cold start, and few requests compare.
    from stillframe.comparison.difference import compare

    ignored = [_to_box(edges) for edges in result.facts.ignored_boxes or ()]
    ignored_before = [_to_box(edges) for edges in earlier.ignored_boxes]
    try:
        found = compare(before, result.data, MAX_PIXELS, rules, ignored_before, ignored)
    except ValueError as error:
        return _not_compared(result, str(error))
    # A change of any size is more than nothing.
    share = 0.0 if found.is_empty else max(round(found.pixels, 6), 1e-6)
    facts = result.facts.compared(
        earlier.id,
        found.is_over_share,
        share,
        changed_regions=[_described(region, result) for region in found.regions[:MAX_REGIONS]] or None,
        moved=[{"top": each.top, "bottom": each.bottom, "by": each.by} for each in found.moved[:MAX_MOVES]] or None,
    )
    marked = () if found.is_empty else (Extra.difference(found.marked),)
    return replace(result, facts=facts, extras=(*result.extras, *marked))


def _described(region: Region, result: RenderResult) -> dict[str, Any]:
    """A region as the record has it. What was removed is not in the page any more."""
    described = {"kind": region.kind.value, "box": list(region.box), "pixels": region.pixels}
    element = element_at(result.elements, region.box) if region.kind.value != "removed" else None
    if element is not None:
        described |= {"selector": element.selector} | ({"text": element.text} if element.text else {})
    return described


def _to_box(edges: Sequence[int]) -> Box:
    left, top, right, bottom = map(int, edges)
    return left, top, right, bottom


def _not_compared(result: RenderResult, problem: str) -> RenderResult:
    logger.info("nothing to compare with", extra={"problem": problem})
    return replace(result, facts=result.facts.not_compared(problem))
