"""Comparing a screenshot with an earlier capture of the same page."""

from __future__ import annotations

import logging
from dataclasses import replace

from stillframe.clock import Deadline
from stillframe.image.extra import Extra
from stillframe.image.ownership import PAYLOAD_HASH, SHA256
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.image.store import ImageStore
from stillframe.request.message import Delivery
from stillframe.request.options import PREVIOUS
from stillframe.table.claim import Claim
from stillframe.table.last_capture import EarlierCapture, LastCaptures
from stillframe.table.record import Record

logger = logging.getLogger(__name__)

# Comparing takes ten bytes of memory and 0.1 microseconds for each pixel.
MAX_PIXELS = 20_000_000
# Storing and completing come after the comparison.
RESERVED_SECONDS = 1.0


class Comparer:
    """Compares a screenshot with the capture that its request names. A problem is recorded, and stops nothing."""

    def __init__(self, last_captures: LastCaptures, images: ImageStore) -> None:
        self._last_captures = last_captures
        self._images = images

    def compare(self, delivery: Delivery, compare_to: str, result: RenderResult, deadline: Deadline) -> RenderResult:
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
        before = self._images.read(earlier.s3_key, _expected_metadata(delivery, earlier))
        if before is None:
            return _not_compared(result, f"the image of {earlier.id} is gone")
        if deadline.remaining_seconds() < RESERVED_SECONDS:
            return _not_compared(result, "the job ran out of time")
        return _compared(result, earlier, before)

    def remember(self, delivery: Delivery, claim: Claim, image: StoredImage, expires_at: int) -> None:
        """The next capture of the same request is compared with this one. Raises ServiceUnavailable."""
        capture = EarlierCapture(delivery.id, image.s3_key)
        request = delivery.request
        self._last_captures.replace(request.payload_hash, delivery.tenant, capture, claim.claimed_at_ms, expires_at)

    def _earlier(self, delivery: Delivery, compare_to: str) -> EarlierCapture | None:
        if compare_to != PREVIOUS:
            return self._last_captures.by_id(compare_to)
        last = self._last_captures.last(delivery.request.payload_hash, delivery.tenant)
        return last if last is not None and last.id != delivery.id else None


def _may_compare(delivery: Delivery, earlier: Record) -> bool:
    """Whether the requester may learn something about an earlier capture, which its id alone does not entitle them to.

    Both belong to the same tenant, or to none. Without a tenant, the captures must be of the same request (URL, options
    and secrets; only what it was compared with may differ), which shows nothing that the requester could not capture.
    """
    if delivery.tenant is not None:
        return True
    return delivery.request.payload_hash_with(earlier.options.get("compareTo")) == earlier.payload_hash


def _expected_metadata(delivery: Delivery, earlier: EarlierCapture) -> dict[str, str]:
    """What the object of an earlier capture must say: its id may name another page by now."""
    if earlier.record is not None:
        return {SHA256: earlier.record.sha256 or ""}
    return {PAYLOAD_HASH: delivery.request.payload_hash}


def _compared(result: RenderResult, earlier: EarlierCapture, before: bytes) -> RenderResult:
    # Imported late: Pillow takes 50 ms of a cold start, and few requests compare.
    from stillframe.image.difference import compare

    try:
        found = compare(before, result.data, MAX_PIXELS)
    except ValueError as error:
        return _not_compared(result, str(error))
    # A change of any size is more than nothing.
    share = 0.0 if found.is_empty else max(round(found.pixels, 6), 1e-6)
    marked = () if found.is_empty else (Extra.difference(found.marked),)
    return replace(result, facts=result.facts.compared(earlier.id, share), extras=(*result.extras, *marked))


def _not_compared(result: RenderResult, problem: str) -> RenderResult:
    logger.info("nothing to compare with", extra={"problem": problem})
    return replace(result, facts=result.facts.not_compared(problem))
