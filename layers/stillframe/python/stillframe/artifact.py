"""The image: what a render yields, and the object it becomes, written at most once per id."""

from __future__ import annotations

import base64
import hashlib
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from botocore.exceptions import BotoCoreError, ClientError
from pydantic.alias_generators import to_camel

from stillframe.errors import ObjectConflict, ServiceUnavailable
from stillframe.options import ImageFormat
from stillframe.record import id_digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

# S3 allows 2 KB of user metadata for an object, names included; these two are what can grow.
MAX_METADATA_TITLE = 300
MAX_METADATA_URL = 1000
WRITE_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the page said of itself. `page_height` is its full height in CSS pixels, where it was capped.

    `redirects` are the urls on the way to the final one; `timings` are milliseconds since the start of the capture;
    `tls_expires_at` is in seconds since the epoch. `unsettled` is what the page did not get past in its time, `blank`
    says that the picture is of one colour; `blocked` counts, by decision, the connections that the page was refused.
    """

    http_status: int | None = None
    final_url: str | None = None
    title: str | None = None
    description: str | None = None
    page_content_type: str | None = None
    redirects: list[str] | None = None
    tls_issuer: str | None = None
    tls_expires_at: int | None = None
    console_errors: list[str] | None = None
    requests: int | None = None
    failed_requests: int | None = None
    transferred_bytes: int | None = None
    timings: dict[str, int] | None = None
    page_height: int | None = None
    height_capped: bool | None = None
    settled: bool | None = None
    unsettled: str | None = None
    blank: bool | None = None
    blocked: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A rendered image, in memory. Width and height are in device pixels."""

    data: bytes
    format: ImageFormat
    width: int
    height: int
    facts: PageFacts
    render_ms: int


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """The one object of a screenshot id. `facts` may be incomplete when the object was adopted."""

    s3_key: str
    s3_url: str
    content_type: str
    bytes: int
    width: int
    height: int
    sha256: str
    facts: PageFacts

    def to_wire(self) -> dict[str, Any]:
        values = asdict(self)
        values |= values.pop("facts")
        return {to_camel(name): value for name, value in values.items() if value is not None}


class ArtifactStore:
    """The bucket, as a worker sees it."""

    def __init__(self, client: S3Client, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def key(self, capture_id: str, image_format: ImageFormat) -> str:
        """`<prefix>/<2 hex of sha256(id)>/<id>.<ext>`: the hash spreads ids over S3's partitions."""
        return f"{self._prefix}/{id_digest(capture_id)[:2]}/{capture_id}.{image_format.extension}"

    def put(self, capture_id: str, claim_token: str, shot: Screenshot) -> tuple[StoredArtifact, bool]:
        """Store the image unless the id already has one; returns the object, and whether it was adopted.

        Raises ObjectConflict when the key holds a foreign object, ServiceUnavailable on any other error.
        """
        artifact = self._describe(capture_id, shot)
        for _ in range(WRITE_ATTEMPTS):
            try:
                self._write(artifact, capture_id, claim_token, shot.data)
                return artifact, False
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                # 409: another conditional write of this key was under way (S3, "Conditional writes").
                if status not in (409, 412):
                    raise ServiceUnavailable(f"put object: {error}") from error
            except BotoCoreError as error:
                raise ServiceUnavailable(f"put object: {error}") from error
            existing = self.find(capture_id, shot.format)
            if existing is not None:
                logger.debug("the object is already there, adopted", extra={"id": capture_id, "s3Key": artifact.s3_key})
                return existing, True
        raise ServiceUnavailable("put object: the key is contended, but holds no object")

    def find(self, capture_id: str, image_format: ImageFormat) -> StoredArtifact | None:
        """The object of an id, verified by its metadata, or None. Raises as `put` does."""
        key = self.key(capture_id, image_format)
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise ServiceUnavailable(f"head object: {error}") from error
        except BotoCoreError as error:
            raise ServiceUnavailable(f"head object: {error}") from error
        metadata = head["Metadata"]
        sha256 = metadata.get("sha256", "")
        checksum = head.get("ChecksumSHA256", checksum_of(sha256))
        if metadata.get("id") != capture_id or not sha256 or checksum != checksum_of(sha256):
            raise ObjectConflict(f"{key} was not written by Stillframe for this id; move it away and retry")
        return StoredArtifact(
            s3_key=key,
            s3_url=f"s3://{self._bucket}/{key}",
            content_type=head["ContentType"],
            bytes=head["ContentLength"],
            width=int(metadata["width"]),
            height=int(metadata["height"]),
            sha256=sha256,
            facts=_facts_from(metadata),
        )

    def _describe(self, capture_id: str, shot: Screenshot) -> StoredArtifact:
        key = self.key(capture_id, shot.format)
        return StoredArtifact(
            s3_key=key,
            s3_url=f"s3://{self._bucket}/{key}",
            content_type=shot.format.content_type,
            bytes=len(shot.data),
            width=shot.width,
            height=shot.height,
            sha256=hashlib.sha256(shot.data).hexdigest(),
            facts=shot.facts,
        )

    def _write(self, artifact: StoredArtifact, capture_id: str, claim_token: str, data: bytes) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=artifact.s3_key,
            Body=data,
            ContentType=artifact.content_type,
            IfNoneMatch="*",
            ChecksumSHA256=checksum_of(artifact.sha256),
            Metadata={
                "id": capture_id,
                "claim-token": claim_token,
                "sha256": artifact.sha256,
                "width": str(artifact.width),
                "height": str(artifact.height),
                **_metadata_of(artifact.facts),
            },
        )


def checksum_of(sha256_hex: str) -> str:
    """The form in which S3 verifies and reports a SHA-256."""
    return base64.b64encode(bytes.fromhex(sha256_hex)).decode()


def _metadata_of(facts: PageFacts) -> dict[str, str]:
    """The facts as metadata, so that an adopted object still completes its record. Headers are ASCII."""
    values = {
        "http-status": str(facts.http_status) if facts.http_status else "",
        "final-url": quote(facts.final_url or "", safe="/:?&=#%~"),
        "title": _quoted_prefix(facts.title or "", MAX_METADATA_TITLE),
        "page-height": str(facts.page_height) if facts.height_capped else "",
    }
    if len(values["final-url"]) > MAX_METADATA_URL:
        values["final-url"] = ""
    return {name: value for name, value in values.items() if value}


def _quoted_prefix(text: str, limit: int) -> str:
    """As many whole characters as fit the limit once percent-encoded."""
    kept = ""
    for char in text:
        encoded = quote(char, safe=" ")
        if len(kept) + len(encoded) > limit:
            break
        kept += encoded
    return kept.strip()


def _facts_from(metadata: dict[str, str]) -> PageFacts:
    status, height = metadata.get("http-status"), metadata.get("page-height")
    return PageFacts(
        http_status=int(status) if status else None,
        final_url=metadata.get("final-url"),
        title=unquote(metadata["title"]) if "title" in metadata else None,
        page_height=int(height) if height else None,
        height_capped=True if height else None,
    )
