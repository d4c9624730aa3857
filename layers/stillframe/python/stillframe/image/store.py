"""The bucket, as a worker uses it: one image per screenshot id, written once, with its extras written before it."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from stillframe.aws_errors import error_code, http_status, translated_errors
from stillframe.errors import ObjectConflict, ServiceUnavailable
from stillframe.image.extra import files_from_metadata, files_to_metadata, kind_of
from stillframe.image.ownership import CLAIM_TOKEN, PAYLOAD_HASH, SHA256, Owner
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.image.shot import MANIFEST, MANIFEST_FILE, StoredShot, manifest_of, read_manifest
from stillframe.request.options import ImageFormat
from stillframe.table.record import id_digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

MAX_WRITE_ATTEMPTS = 3
# A screenshot id does not begin with a dot.
CHECK_NAME = ".check"
NO_TAG = '"none"'


class ImageStore:
    """Stores images and adopts stored ones: an image belongs to the request that it was rendered for.

    An object outlives its record (`objectRetentionDays`, `recordRetentionDays`), and an id may then name another page.
    So the id alone is no proof that an object is the image of a request; the payload hash in its metadata is.

    Extras and shots are stored under the token of their claim, so an image has those of its own render and no others.

    An attempt that ends before its image is stored leaves its extras and shots behind; no record names them, and they
    expire with the bucket's lifecycle rule. Every method raises ServiceUnavailable when AWS does not do as asked.
    """

    def __init__(self, client: S3Client, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def key(self, screenshot_id: str, image_format: ImageFormat) -> str:
        """`<prefix>/<2 hex of sha256(id)>/<id>.<ext>`: the hash spreads ids over S3's partitions."""
        return f"{self._folder(screenshot_id)}/{screenshot_id}.{image_format.extension}"

    def extra_key(self, screenshot_id: str, claim_token: str, file: str) -> str:
        """`<prefix>/<2 hex>/<id>/<claim token>/<file>`: an id has no slash, so no image has such a key."""
        return f"{self._folder(screenshot_id)}/{screenshot_id}/{claim_token}/{file}"

    def url(self, key: str) -> str:
        """The object's URL, as records name it."""
        return f"s3://{self._bucket}/{key}"

    def put(self, owner: Owner, result: RenderResult) -> tuple[StoredImage, bool]:
        """Store the image unless the id already has one. Returns the stored image, and whether it was adopted.

        Raises IdConflict when the key holds the image of another request, ObjectConflict when it holds an object that
        cannot be attributed to a request.
        """
        image = self._describe(owner.screenshot_id, owner.claim_token, result)
        for extra in result.extras:
            self._write_beside(owner, extra.file, extra.data, extra.headers)
        manifest_sha256 = self._write_shots(owner, result, image.shots)
        metadata = {
            "id": owner.screenshot_id,
            PAYLOAD_HASH: owner.payload_hash,
            CLAIM_TOKEN: owner.claim_token,
            SHA256: image.sha256,
            "width": str(image.width),
            "height": str(image.height),
            **result.facts.to_metadata(),
        }
        if result.extras:
            metadata["extras"] = files_to_metadata([extra.file for extra in result.extras])
        if manifest_sha256 is not None:
            metadata[MANIFEST] = manifest_sha256
        headers = {"ContentType": image.content_type}
        if self._write(image.s3_key, result.data, image.sha256, headers, metadata):
            return image, False
        existing = self.find(owner, result.format)
        if existing is None:
            raise ServiceUnavailable("put object: the key was taken, but holds no object")
        details = {"id": owner.screenshot_id, "s3Key": image.s3_key}
        logger.debug("the image was already stored and is adopted", extra=details)
        return existing, True

    def find(self, owner: Owner, image_format: ImageFormat) -> StoredImage | None:
        """The stored image of a request, verified by its metadata, or None. Raises what `put` raises."""
        key = self.key(owner.screenshot_id, image_format)
        with translated_errors("head object"):
            try:
                head = self._client.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
            except ClientError as error:
                if http_status(error) == 404:
                    return None
                raise
        metadata = head["Metadata"]
        sha256 = metadata.get(SHA256, "")
        checksum = head.get("ChecksumSHA256", checksum_of(sha256))
        if metadata.get("id") != owner.screenshot_id or not sha256 or checksum != checksum_of(sha256):
            raise ObjectConflict(f"{key} was not written by Stillframe for this id; move it away and retry")
        owner.check(key, metadata)
        files = files_from_metadata(metadata.get("extras", ""))
        return StoredImage(
            s3_key=key,
            s3_url=self.url(key),
            content_type=head["ContentType"],
            bytes=head["ContentLength"],
            width=int(metadata["width"]),
            height=int(metadata["height"]),
            sha256=sha256,
            facts=PageFacts.from_metadata(metadata),
            extras=self._urls(owner.screenshot_id, metadata.get(CLAIM_TOKEN, ""), files),
            shots=self._read_shots(owner.screenshot_id, metadata),
        )

    def read_extra(self, key: str, metadata: Mapping[str, str], file: str) -> bytes | None:
        """An extra object of the image with this key and metadata, or None when it has none."""
        token = metadata.get(CLAIM_TOKEN)
        if token is None or file not in files_from_metadata(metadata.get("extras", "")):
            return None
        stored = self.read(f"{key.rpartition('.')[0]}/{token}/{file}", {})
        return stored[0] if stored is not None else None

    def read(self, key: str, expected: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]] | None:
        """An object whose metadata has the expected entries, with all of its metadata, or None if there is none."""
        with translated_errors("get object"):
            try:
                stored = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if http_status(error) == 404:
                    return None
                raise
            if not expected.items() <= stored["Metadata"].items():
                # Closing the connection is cheaper than reading an image that is not wanted.
                stored["Body"].close()
                return None
            return stored["Body"].read(), stored["Metadata"]

    def check(self) -> None:
        """Find out whether objects can be written, without writing one: AWS checks the permission first.

        The condition names an entity tag that no object has (S3, "Conditional writes": 404 or 412).
        """
        with translated_errors("put object"):
            try:
                self._client.put_object(Bucket=self._bucket, Key=f"{self._prefix}/{CHECK_NAME}", IfMatch=NO_TAG)
            except ClientError as error:
                if error_code(error) not in ("NoSuchKey", "PreconditionFailed"):
                    raise

    def _describe(self, screenshot_id: str, claim_token: str, result: RenderResult) -> StoredImage:
        key = self.key(screenshot_id, result.format)
        return StoredImage(
            s3_key=key,
            s3_url=self.url(key),
            content_type=result.format.content_type,
            bytes=len(result.data),
            width=result.width,
            height=result.height,
            sha256=hashlib.sha256(result.data).hexdigest(),
            facts=result.facts,
            extras=self._urls(screenshot_id, claim_token, [extra.file for extra in result.extras]),
            shots=tuple(
                shot.stored_at(self.url(self.extra_key(screenshot_id, claim_token, shot.file))) for shot in result.shots
            ),
        )

    def _write_shots(self, owner: Owner, result: RenderResult, stored: Sequence[StoredShot]) -> str | None:
        """Store the shots, and then their manifest. Returns its SHA-256 in hex, None if there are no shots."""
        if not stored:
            return None
        for shot, line in zip(result.shots, stored, strict=True):
            self._write_beside(owner, shot.file, shot.data, {"ContentType": line.content_type})
        manifest = manifest_of(stored)
        self._write_beside(owner, MANIFEST_FILE, manifest, {"ContentType": "application/json"})
        return hashlib.sha256(manifest).hexdigest()

    def _read_shots(self, screenshot_id: str, metadata: Mapping[str, str]) -> tuple[StoredShot, ...]:
        """The shots of the stored image with this metadata. Raises ObjectConflict if it has lost their manifest."""
        if MANIFEST not in metadata:
            return ()
        key = self.extra_key(screenshot_id, metadata.get(CLAIM_TOKEN, ""), MANIFEST_FILE)
        found = self.read(key, {})
        if found is None or hashlib.sha256(found[0]).hexdigest() != metadata[MANIFEST]:
            raise ObjectConflict(f"{key}, the manifest of the shots, is missing or changed; use a new requestId")
        return tuple(read_manifest(found[0]))

    def _write_beside(self, owner: Owner, file: str, data: bytes, headers: Mapping[str, str]) -> None:
        """Only the holder of the claim knows the key: an object that is already there is from a repeated call."""
        key = self.extra_key(owner.screenshot_id, owner.claim_token, file)
        metadata = {"id": owner.screenshot_id, CLAIM_TOKEN: owner.claim_token}
        self._write(key, data, hashlib.sha256(data).hexdigest(), headers, metadata)

    def _write(self, key: str, data: bytes, sha256: str, headers: Mapping[str, str], metadata: dict[str, str]) -> bool:
        """Write an object unless its key is taken. Returns whether it was written."""
        arguments: Any = {"Bucket": self._bucket, "Key": key, "Body": data, "Metadata": metadata, **headers}
        checksum = checksum_of(sha256)
        for _ in range(MAX_WRITE_ATTEMPTS):
            with translated_errors("put object"):
                try:
                    self._client.put_object(IfNoneMatch="*", ChecksumSHA256=checksum, **arguments)
                    return True
                except ClientError as error:
                    if http_status(error) == 412:
                        return False
                    # 409: another conditional write of this key was in progress (S3, "Conditional writes").
                    if http_status(error) != 409:
                        raise
        raise ServiceUnavailable("put object: the key is contended")

    def _urls(self, screenshot_id: str, claim_token: str, files: Iterable[str]) -> dict[str, str] | None:
        return {kind_of(file): self.url(self.extra_key(screenshot_id, claim_token, file)) for file in files} or None

    def _folder(self, screenshot_id: str) -> str:
        return f"{self._prefix}/{id_digest(screenshot_id)[:2]}"


def checksum_of(sha256_hex: str) -> str:
    """A SHA-256 in the form in which S3 verifies and reports it."""
    return base64.b64encode(bytes.fromhex(sha256_hex)).decode()
