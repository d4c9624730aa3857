"""Telling what changed on a page since an earlier capture of it."""

from __future__ import annotations

import logging
from dataclasses import replace

from stillframe.clock import Deadline
from stillframe.image.extra import Extra
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.image.store import ImageStore
from stillframe.request.message import Delivery
from stillframe.request.options import PREVIOUS
from stillframe.table.claim import Claim
from stillframe.table.last_capture import EarlierCapture, LastCaptures

logger = logging.getLogger(__name__)

# Ten bytes of memory and 0.1 microseconds for each pixel.
MAX_PIXELS = 20_000_000
# Storing and completing come after it.
NEEDED_SECONDS = 1.0


class Comparer:
    """Compares a picture with the one that its request names. What stands in the way is told, and stops nothing."""

    def __init__(self, series: LastCaptures, artifacts: ImageStore) -> None:
        self._series = series
        self._artifacts = artifacts

    def compare(self, delivery: Delivery, compare_to: str, shot: RenderResult, deadline: Deadline) -> RenderResult:
        """The same screenshot with what changed. Raises ServiceUnavailable."""
        earlier = self._earlier(delivery, compare_to)
        if earlier is None:
            is_first = "there is no earlier capture of this request"
            return _without(shot, is_first if compare_to == PREVIOUS else f"there is no capture {compare_to}")
        before = self._artifacts.read(earlier.s3_key)
        if before is None:
            return _without(shot, f"the image of {earlier.id} is gone")
        if deadline.remaining_seconds() < NEEDED_SECONDS:
            return _without(shot, "the job's time was over")
        return _compared(shot, earlier, before)

    def remember(self, delivery: Delivery, claim: Claim, artifact: StoredImage, expires_at: int) -> None:
        """The next capture of the same request is compared with this one. Raises ServiceUnavailable."""
        capture = EarlierCapture(delivery.id, artifact.s3_key)
        self._series.advance(delivery.request.payload_hash, capture, claim.claimed_at_ms, expires_at)

    def _earlier(self, delivery: Delivery, compare_to: str) -> EarlierCapture | None:
        if compare_to != PREVIOUS:
            return self._series.capture(compare_to)
        last = self._series.last(delivery.request.payload_hash)
        return last if last is not None and last.id != delivery.id else None


def _compared(shot: RenderResult, earlier: EarlierCapture, before: bytes) -> RenderResult:
    # Imported late: Pillow takes 50 ms of a cold start, and few requests compare.
    from stillframe.image.difference import compare

    try:
        found = compare(before, shot.data, MAX_PIXELS)
    except ValueError as error:
        return _without(shot, str(error))
    # What changed at all is more than nothing.
    share = 0.0 if found.is_none else max(round(found.pixels, 6), 1e-6)
    facts = replace(shot.facts, compared_to=earlier.id, changed=not found.is_none, difference=share)
    marked = () if found.is_none else (Extra.difference(found.marked),)
    return replace(shot, facts=facts, extras=(*shot.extras, *marked))


def _without(shot: RenderResult, problem: str) -> RenderResult:
    logger.info("nothing to compare with", extra={"problem": problem})
    return replace(shot, facts=replace(shot.facts, comparison_problem=problem))
