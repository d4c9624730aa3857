"""The bucket, as a worker sees it: an image is written at most once per id, what belongs to it before it."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import ObjectConflict, ServiceUnavailable
from stillframe.image.extra import Extra, kind_of
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.request.options import ImageFormat
from stillframe.table.record import id_digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

WRITE_ATTEMPTS = 3


class ImageStore:
    """Extra objects are under the token of their claim, so that an image has those of its own render and no others.

    An attempt that ends before its image is stored leaves its extra objects behind; no record names them, and they
    expire with the bucket's lifecycle rule.
    """

    def __init__(self, client: S3Client, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def key(self, screenshot_id: str, image_format: ImageFormat) -> str:
        """`<prefix>/<2 hex of sha256(id)>/<id>.<ext>`: the hash spreads ids over S3's partitions."""
        return f"{self._folder(screenshot_id)}/{screenshot_id}.{image_format.extension}"

    def extra_key(self, screenshot_id: str, claim_token: str, file: str) -> str:
        """`<prefix>/<2 hex>/<id>/<claim token>/<file>`: no id has a slash, so no image has such a key."""
        return f"{self._folder(screenshot_id)}/{screenshot_id}/{claim_token}/{file}"

    def put(self, screenshot_id: str, claim_token: str, shot: RenderResult) -> tuple[StoredImage, bool]:
        """Store the image unless the id already has one; returns the object, and whether it was adopted.

        Raises ObjectConflict when the key holds a foreign object, ServiceUnavailable on any other error.
        """
        artifact = self._describe(screenshot_id, claim_token, shot)
        for extra in shot.extras:
            self._write_extra(screenshot_id, claim_token, extra)
        metadata = {
            "id": screenshot_id,
            "claim-token": claim_token,
            "sha256": artifact.sha256,
            "width": str(artifact.width),
            "height": str(artifact.height),
            **shot.facts.to_metadata(),
        }
        if shot.extras:
            metadata["extras"] = ",".join(extra.file for extra in shot.extras)
        headers = {"ContentType": artifact.content_type}
        if self._write(artifact.s3_key, shot.data, artifact.sha256, headers, metadata):
            return artifact, False
        existing = self.find(screenshot_id, shot.format)
        if existing is None:
            raise ServiceUnavailable("put object: the key was taken, but holds no object")
        logger.debug("the object is already there, adopted", extra={"id": screenshot_id, "s3Key": artifact.s3_key})
        return existing, True

    def find(self, screenshot_id: str, image_format: ImageFormat) -> StoredImage | None:
        """The object of an id, verified by its metadata, or None. Raises as `put` does."""
        key = self.key(screenshot_id, image_format)
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if _status_of(error) == 404:
                return None
            raise ServiceUnavailable(f"head object: {error}") from error
        except BotoCoreError as error:
            raise ServiceUnavailable(f"head object: {error}") from error
        metadata = head["Metadata"]
        sha256 = metadata.get("sha256", "")
        checksum = head.get("ChecksumSHA256", checksum_of(sha256))
        if metadata.get("id") != screenshot_id or not sha256 or checksum != checksum_of(sha256):
            raise ObjectConflict(f"{key} was not written by Stillframe for this id; move it away and retry")
        files = filter(None, metadata.get("extras", "").split(","))
        return StoredImage(
            s3_key=key,
            s3_url=self._url(key),
            content_type=head["ContentType"],
            bytes=head["ContentLength"],
            width=int(metadata["width"]),
            height=int(metadata["height"]),
            sha256=sha256,
            facts=PageFacts.from_metadata(metadata),
            extras=self._urls(screenshot_id, metadata.get("claim-token", ""), files),
        )

    def read(self, key: str) -> bytes | None:
        """The bytes of an object, or None when it is not there. Raises ServiceUnavailable."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if _status_of(error) == 404:
                return None
            raise ServiceUnavailable(f"get object: {error}") from error
        except BotoCoreError as error:
            raise ServiceUnavailable(f"get object: {error}") from error

    def _describe(self, screenshot_id: str, claim_token: str, shot: RenderResult) -> StoredImage:
        key = self.key(screenshot_id, shot.format)
        return StoredImage(
            s3_key=key,
            s3_url=self._url(key),
            content_type=shot.format.content_type,
            bytes=len(shot.data),
            width=shot.width,
            height=shot.height,
            sha256=hashlib.sha256(shot.data).hexdigest(),
            facts=shot.facts,
            extras=self._urls(screenshot_id, claim_token, [extra.file for extra in shot.extras]),
        )

    def _write_extra(self, screenshot_id: str, claim_token: str, extra: Extra) -> None:
        """Only the holder of the claim knows the key, so that what is there already is of a call sent twice."""
        key = self.extra_key(screenshot_id, claim_token, extra.file)
        metadata = {"id": screenshot_id, "claim-token": claim_token}
        self._write(key, extra.data, hashlib.sha256(extra.data).hexdigest(), extra.headers, metadata)

    def _write(self, key: str, data: bytes, sha256: str, headers: Mapping[str, str], metadata: dict[str, str]) -> bool:
        """Whether it was written; not when there is an object of that key."""
        arguments: Any = {"Bucket": self._bucket, "Key": key, "Body": data, "Metadata": metadata, **headers}
        checksum = checksum_of(sha256)
        for _ in range(WRITE_ATTEMPTS):
            try:
                self._client.put_object(IfNoneMatch="*", ChecksumSHA256=checksum, **arguments)
            except ClientError as error:
                if _status_of(error) == 412:
                    return False
                # 409: another conditional write of this key was under way (S3, "Conditional writes").
                if _status_of(error) != 409:
                    raise ServiceUnavailable(f"put object: {error}") from error
            except BotoCoreError as error:
                raise ServiceUnavailable(f"put object: {error}") from error
            else:
                return True
        raise ServiceUnavailable("put object: the key is contended")

    def _urls(self, screenshot_id: str, claim_token: str, files: Iterable[str]) -> dict[str, str] | None:
        return {kind_of(file): self._url(self.extra_key(screenshot_id, claim_token, file)) for file in files} or None

    def _url(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def _folder(self, screenshot_id: str) -> str:
        return f"{self._prefix}/{id_digest(screenshot_id)[:2]}"


def checksum_of(sha256_hex: str) -> str:
    """The form in which S3 verifies and reports a SHA-256."""
    return base64.b64encode(bytes.fromhex(sha256_hex)).decode()


def _status_of(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
