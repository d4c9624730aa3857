"""Presigned URLs of stored objects: whoever has one may read the object for a while, without credentials of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.refused import NotCaptured
from stillframe.table.record import Record, Status

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A role's credentials outlive this, and a link that leaks is soon worth nothing.
LINK_SECONDS = 900


class Links:
    """Makes links. Nothing is contacted."""

    def __init__(self, client: S3Client, seconds: int = LINK_SECONDS) -> None:
        self._client = client
        self._seconds = seconds

    def image(self, record: Record) -> str:
        """A link to the image. Raises NotCaptured if there is none."""
        if record.status is not Status.SUCCESS or record.s3_url is None:
            reason = f" ({record.error_code}: {record.error_message})" if record.error_code else ""
            raise NotCaptured(f"{record.id} has no image: its status is {record.status.value}{reason}.")
        return self._link(record.s3_url)

    def extra_object(self, record: Record, kind: str) -> str:
        """A link to an extra object. Raises NotCaptured if there is none of this kind."""
        urls = record.extras or {}
        if record.status is not Status.SUCCESS or kind not in urls:
            reason = (record.left_out or {}).get(kind, "its options did not ask for it")
            if record.status is not Status.SUCCESS:
                reason = f"its status is {record.status.value}"
            raise NotCaptured(f"{record.id} has no {kind}: {reason}.")
        return self._link(urls[kind])

    def shot(self, record: Record, name: str) -> str:
        """A link to a shot. Raises NotCaptured if there is none of this name."""
        url = next((shot.s3_url for shot in record.shots or () if shot.name == name), None)
        if record.status is not Status.SUCCESS or url is None:
            is_success = record.status is Status.SUCCESS
            reason = "its options did not ask for it" if is_success else f"its status is {record.status.value}"
            raise NotCaptured(f"{record.id} has no shot {name}: {reason}.")
        return self._link(url)

    def _link(self, url: str) -> str:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=self._seconds
        )
