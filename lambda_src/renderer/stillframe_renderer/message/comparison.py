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
from stillframe.image.page_facts import OVERTAKEN, PageFacts
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.image.store import ImageStore
from stillframe.request.message import Delivery
from stillframe.request.options import IN_LINE, PREVIOUS, ComparisonRules, RenderOptions
from stillframe.table.last_capture import EarlierCapture, LastCapture, LastCaptures, Succession
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


class Comparison:
    """One screenshot and the capture to compare it with. A problem is recorded, and stops nothing.

    `last` is where the captures of the request stand, if they are compared with each other.
    """

    def __init__(
        self,
        last_captures: LastCaptures,
        images: ImageStore,
        delivery: Delivery,
        options: RenderOptions,
        last: LastCapture | None,
        earlier: EarlierCapture | None,
    ) -> None:
        self._last_captures = last_captures
        self._images = images
        self._delivery = delivery
        self._options = options
        self._compare_to = options.compare_to or PREVIOUS
        self._last = last
        self._earlier = earlier
        self._is_put_off = False
        # Whether the image to compare with has expired, so that there is nothing to keep.
        self._is_gone = False

    def compare(self, result: RenderResult, deadline: Deadline) -> RenderResult:
        """The same result with what changed. Raises ServiceUnavailable."""
        compared = self._compare(result, deadline)
        # Whoever adopts an image that was not compared must not take it for the next one either.
        follows = self._last.id if self._last is not None and not self._is_put_off else None
        return replace(compared, facts=compared.facts.model_copy(update={"follows": follows}))

    def adopt(self, image: StoredImage) -> StoredImage:
        """An image that another attempt has stored, with its comparison if no other capture was completed since."""
        last, facts = self._last, image.facts
        self._is_put_off = self._is_in_line and (facts.follows != (last.id if last is not None else None))
        if not self._is_put_off:
            return replace(image, facts=self._with_url(facts))
        return replace(image, facts=facts.uncompared(OVERTAKEN))

    def succession(self, image: StoredImage, expires_at: int) -> Succession | None:
        """How the capture becomes the last one, None if it does not."""
        if not self._is_in_line or self._is_put_off:
            return None
        capture = EarlierCapture(self._delivery.id, image.s3_key, image.facts.ignored_boxes or ())
        # What could not be compared is nothing to compare with either: the next capture tells of a change.
        is_followed = self._compare_to == PREVIOUS and image.facts.compared_to is not None
        last, keeps_reference = self._last, not (is_followed or self._is_gone)
        following = (
            LastCapture.first(capture)
            if last is None
            else last.followed_by(capture, image.facts, keeps_reference=keeps_reference)
        )
        return self._last_captures.succession(self._delivery, last, following, expires_at)

    @property
    def _is_in_line(self) -> bool:
        return self._compare_to in IN_LINE

    def _compare(self, result: RenderResult, deadline: Deadline) -> RenderResult:
        earlier, compare_to, delivery = self._earlier, self._compare_to, self._delivery
        if self._is_in_line and (earlier is None or earlier.id == delivery.id):
            return _not_compared(result, "there is no earlier capture of this request")
        # Another tenant's is as if it did not exist: a tenant learns nothing about it.
        if earlier is None or (earlier.record is not None and earlier.record.tenant != delivery.tenant):
            return _not_compared(result, f"there is no capture {compare_to}")
        if earlier.record is not None and not _may_compare(delivery, earlier.record):
            return _not_compared(result, f"the capture {compare_to} is of another request")
        stored = self._images.read(earlier.s3_key, _expected_metadata(delivery, earlier))
        if stored is None:
            self._is_gone = True
            return _not_compared(result, f"the image of {earlier.id} is gone")
        candidate = self._last.candidate if self._last is not None else None
        pixels = result.width * result.height * (1 if candidate is None else 2)
        if deadline.remaining_seconds() < RESERVED_SECONDS + pixels * SECONDS_PER_PIXEL:
            # The next capture is compared with the same earlier one.
            self._is_put_off = True
            return _not_compared(result, "the job ran out of time")
        before, metadata = stored
        compared = _compared(result, earlier, before, self._options.comparison)
        if compared.facts.changed:
            compared = self._judged(compared, candidate)
        compared = replace(compared, facts=self._with_url(compared.facts))
        return self._with_text(compared, earlier, metadata)

    def _judged(self, result: RenderResult, candidate: EarlierCapture | None) -> RenderResult:
        """A result that differs, with whether the change counts, and whether it has been reported already."""
        repeated = candidate if candidate is not None and self._looks_like(result, candidate) else None
        update: dict[str, Any] = {}
        if repeated is not None and self._last is not None and self._last.is_reported:
            update = {"changed_since": repeated.id}
        elif self._options.confirm_changes and repeated is None:
            update = {"changed": False, "unconfirmed": True}
        return replace(result, facts=result.facts.model_copy(update=update))

    def _looks_like(self, result: RenderResult, candidate: EarlierCapture) -> bool:
        stored = self._images.read(candidate.s3_key, _expected_metadata(self._delivery, candidate))
        return (
            stored is not None and not _compared(result, candidate, stored[0], self._options.comparison).facts.changed
        )

    def _with_url(self, facts: PageFacts) -> PageFacts:
        if self._earlier is None or facts.compared_to != self._earlier.id:
            return facts
        return facts.model_copy(update={"compared_to_url": self._images.url(self._earlier.s3_key)})

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


class Comparer:
    """Compares screenshots with the captures that their requests name."""

    comparison = Comparison

    def __init__(self, last_captures: LastCaptures, images: ImageStore) -> None:
        self._last_captures = last_captures
        self._images = images

    def begin(self, delivery: Delivery, options: RenderOptions) -> Comparison | None:
        """The comparison of a request, None if it asks for none. It must begin before the page is rendered.

        Only then does the earlier capture show an earlier state of the page. Raises ServiceUnavailable.
        """
        if options.compare_to is None:
            return None
        if options.compare_to in IN_LINE:
            last = self._last_captures.last(delivery)
            earlier = last.reference if last is not None else None
        else:
            last, earlier = None, self._last_captures.by_id(options.compare_to)
        return self.comparison(self._last_captures, self._images, delivery, options, last, earlier)


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
