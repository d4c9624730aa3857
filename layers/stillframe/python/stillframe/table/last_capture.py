"""The last capture of each request that is compared with its predecessor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stillframe.table import side_items
from stillframe.table.attributes import IGNORED_BOXES, LAST_SCREENSHOT_ID, S3_KEY
from stillframe.table.record import Record, Status
from stillframe.table.table import Table

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


class LastCaptures:
    """An item of the table for each request (URL and options) that is compared with its previous capture.

    It is written when an image is stored and read when the next one is. Two captures that run at the same time are
    compared with the same earlier one.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def last(self, payload_hash: str, tenant: str | None) -> EarlierCapture | None:
        """The last capture of a request that a tenant has made. Raises ServiceUnavailable."""
        item = self._table.get(_key(payload_hash, tenant))
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

    def replace(
        self, payload_hash: str, tenant: str | None, capture: EarlierCapture, claimed_at_ms: int, expires_at: int
    ) -> None:
        """Make this the last capture of a tenant's request, unless a later one is already.

        Raises ServiceUnavailable.
        """
        update = side_items.replace_last_capture(
            capture.id, capture.s3_key, capture.ignored_boxes, claimed_at_ms, expires_at
        )
        self._table.update(_key(payload_hash, tenant), update)


def _key(payload_hash: str, tenant: str | None) -> str:
    """Each tenant has its own: what another has captured, and when, is nothing to compare with."""
    return f"{PREFIX}{tenant}#{payload_hash}" if tenant else PREFIX + payload_hash
