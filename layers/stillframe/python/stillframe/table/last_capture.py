"""The last capture of each request that is compared with its predecessor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from stillframe.image.page_facts import PageFacts
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import Delivery
from stillframe.request.series import series_of
from stillframe.table import side_items
from stillframe.table.attributes import (
    CANDIDATE,
    EXPIRES_AT,
    ID,
    IGNORED_BOXES,
    IS_REPORTED,
    LAST_SCREENSHOT_ID,
    REFERENCE_ID,
    S3_KEY,
)
from stillframe.table.record import Record, Status
from stillframe.table.table import Table
from stillframe.table.update import Update

# A screenshot id cannot contain this character, so such an item is never in the place of a record.
PREFIX = "previous#"


@dataclass(frozen=True, slots=True)
class EarlierCapture:
    """A capture to compare with: its screenshot id, the key of its image, and its record if that was read.

    `ignored_boxes` are the parts of its image that are not compared: left, top, right, bottom in pixels.
    """

    id: str
    s3_key: str
    ignored_boxes: Sequence[Sequence[int]] = ()
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class LastCapture:
    """Where the captures of a request stand.

    `id` is the capture that was completed last, `reference` the one that the next is compared with. `candidate` is the
    first of those that differed from the reference and have looked alike since; `is_reported` says whether that change
    counts, so that it is not reported again.
    """

    id: str
    reference: EarlierCapture
    candidate: EarlierCapture | None = None
    is_reported: bool = False

    @classmethod
    def first(cls, capture: EarlierCapture) -> Self:
        """Where they stand after a capture that nothing is known of before."""
        return cls(capture.id, capture)

    def followed_by(self, capture: EarlierCapture, facts: PageFacts, *, keeps_reference: bool) -> LastCapture:
        """Where they stand after a capture with these facts. A baseline is kept, whatever the capture shows.

        So is any reference that the capture could not be compared with.
        """
        if facts.unconfirmed:
            return LastCapture(capture.id, self.reference, capture)
        if not keeps_reference:
            return LastCapture.first(capture)
        if facts.compared_to is None:
            # It shows nothing about the reference, and what was reported stays so.
            return replace(self, id=capture.id) if self.is_reported else LastCapture(capture.id, self.reference)
        if facts.changed_since is not None:
            return replace(self, id=capture.id)
        if facts.changed:
            confirmed = self.candidate if self.candidate is not None and not self.is_reported else capture
            return LastCapture(capture.id, self.reference, confirmed, is_reported=True)
        return LastCapture(capture.id, self.reference)


@dataclass(frozen=True, slots=True)
class Succession:
    """The write by which a capture becomes the last one of its request, in the transaction that completes its record.

    Its condition holds if no other capture of the request has been completed since this one began. So captures follow
    each other in one line, each compared with the one before it, and no change is reported twice or by nobody.
    """

    key: str
    update: Update


class LastCaptures:
    """An item of the table for each request that is compared with its previous capture.

    A request is a URL with its options; the periods of a watch have an item of their own. It is read before the page is
    rendered, and written when the record is completed.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def last(self, delivery: Delivery) -> LastCapture | None:
        """Where the captures of a delivery's request stand, None before the first. Raises ServiceUnavailable."""
        return self.read(_key(delivery))

    def read(self, key: str) -> LastCapture | None:
        """What the item with this key says. Raises ServiceUnavailable."""
        item = self._table.get(key)
        if item is None:
            return None
        last, candidate = item[LAST_SCREENSHOT_ID], item.get(CANDIDATE)
        reference = EarlierCapture(item.get(REFERENCE_ID, last), item[S3_KEY], item.get(IGNORED_BOXES) or ())
        if candidate is None:
            return LastCapture(last, reference)
        shown = EarlierCapture(candidate[ID], candidate[S3_KEY], candidate[IGNORED_BOXES])
        return LastCapture(last, reference, shown, candidate[IS_REPORTED])

    def by_id(self, screenshot_id: str) -> EarlierCapture | None:
        """The capture with this screenshot id, if it succeeded. Raises ServiceUnavailable."""
        item = self._table.get(screenshot_id)
        record = Record.model_validate(item) if item is not None else None
        if record is None or record.status is not Status.SUCCESS or record.s3_key is None:
            return None
        return EarlierCapture(record.id, record.s3_key, record.ignored_boxes or (), record)

    def succession(
        self, delivery: Delivery, last: LastCapture | None, following: LastCapture, expires_at: int
    ) -> Succession:
        """How a capture becomes the last one, in place of the one that was the last when it began.

        `expires_at` is in seconds since the epoch.
        """
        return Succession(_key(delivery), replacement(last, following, expires_at))


def replacement(last: LastCapture | None, following: LastCapture, expires_at: int) -> Update:
    """The write from one state to the one that follows. `expires_at` is in seconds since the epoch."""
    candidate = following.candidate
    return side_items.replace_last_capture(
        (last.id, last.reference.s3_key) if last is not None else None,
        {
            LAST_SCREENSHOT_ID: following.id,
            REFERENCE_ID: following.reference.id,
            **_values(following.reference),
            CANDIDATE: None
            if candidate is None
            else {ID: candidate.id, **_values(candidate), IS_REPORTED: following.is_reported},
            EXPIRES_AT: expires_at,
        },
    )


def _values(capture: EarlierCapture) -> dict[str, Any]:
    return {S3_KEY: capture.s3_key, IGNORED_BOXES: [list(box) for box in capture.ignored_boxes]}


def key_of(request: CaptureRequest, tenant: str | None) -> str:
    """Each tenant has its own: what another has captured, and when, is nothing to compare with."""
    owners = (tenant, series_of(request.id), request.payload_hash)
    return PREFIX + "#".join(owner for owner in owners if owner)


def _key(delivery: Delivery) -> str:
    return key_of(delivery.request, delivery.tenant)
