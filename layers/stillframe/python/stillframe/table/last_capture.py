"""The last capture of each request that is compared with its predecessor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stillframe.request.message import Delivery
from stillframe.request.series import series_of
from stillframe.table import side_items
from stillframe.table.attributes import IGNORED_BOXES, LAST_SCREENSHOT_ID, S3_KEY
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
class Succession:
    """The write by which a capture becomes the last one of its request, in the transaction that completes its record.

    Its condition holds if no other capture of the request has been completed since this one began. So captures follow
    each other in one line, each compared with the one before it, and no change is reported twice or by nobody.
    """

    key: str
    screenshot_id: str
    update: Update


class LastCaptures:
    """An item of the table for each request that is compared with its previous capture.

    A request is a URL with its options; the periods of a watch have an item of their own. It is read before the page is
    rendered, and written when the record is completed.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def last(self, delivery: Delivery) -> EarlierCapture | None:
        """The last completed capture of a delivery's request. Raises ServiceUnavailable."""
        item = self._table.get(_key(delivery))
        if item is None:
            return None
        return EarlierCapture(item[LAST_SCREENSHOT_ID], item[S3_KEY], item.get(IGNORED_BOXES) or ())

    def by_id(self, screenshot_id: str) -> EarlierCapture | None:
        """The capture with this screenshot id, if it succeeded. Raises ServiceUnavailable."""
        item = self._table.get(screenshot_id)
        record = Record.model_validate(item) if item is not None else None
        if record is None or record.status is not Status.SUCCESS or record.s3_key is None:
            return None
        return EarlierCapture(record.id, record.s3_key, record.ignored_boxes or (), record)

    def succession(
        self, delivery: Delivery, last: EarlierCapture | None, capture: EarlierCapture, expires_at: int
    ) -> Succession:
        """How a capture becomes the last one, in place of the one that was the last when it began.

        `expires_at` is in seconds since the epoch.
        """
        replaced = last.id if last is not None else None
        update = side_items.replace_last_capture(
            capture.id, capture.s3_key, capture.ignored_boxes, replaced, expires_at
        )
        return Succession(_key(delivery), capture.id, update)


def _key(delivery: Delivery) -> str:
    """Each tenant has its own: what another has captured, and when, is nothing to compare with."""
    owners = (delivery.tenant, series_of(delivery.id), delivery.request.payload_hash)
    return PREFIX + "#".join(owner for owner in owners if owner)
