"""S3: conditional writes, metadata and versions, with strong consistency."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import client_error


@dataclass(frozen=True)
class Version:
    """One version of an object."""

    data: bytes
    content_type: str
    metadata: dict[str, str]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class SimulatedBucket:
    """One bucket that keeps versions."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    watchers: list[Callable[[str, Version], None]] = field(default_factory=list)

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: bytes,
        ContentType: str = "binary/octet-stream",
        ContentDisposition: str = "",
        Metadata: dict[str, str] | None = None,
        IfNoneMatch: str = "",
        ChecksumSHA256: str = "",
    ) -> dict[str, Any]:
        if ChecksumSHA256 and ChecksumSHA256 != _checksum(Body):
            raise client_error("PutObject", "BadDigest", 400)
        if IfNoneMatch not in ("", "*"):
            raise NotImplementedError(f"If-None-Match: {IfNoneMatch}")
        if IfNoneMatch == "*" and Key in self.versions:
            raise client_error("PutObject", "PreconditionFailed", 412)
        version = Version(Body, ContentType, Metadata or {})
        self.versions.setdefault(Key, []).append(version)
        for watch in self.watchers:
            watch(Key, version)
        return {}

    def head_object(self, *, Bucket: str, Key: str, ChecksumMode: str = "") -> dict[str, Any]:
        if Key not in self.versions:
            # The response to HEAD has no body that could hold a code, so boto3 uses the status.
            raise client_error("HeadObject", "404", 404, "Not Found")
        version = self.versions[Key][-1]
        checksum = {"ChecksumSHA256": _checksum(version.data)} if ChecksumMode == "ENABLED" else {}
        return {
            "Metadata": dict(version.metadata),
            "ContentType": version.content_type,
            "ContentLength": len(version.data),
            **checksum,
        }

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.versions:
            raise client_error("GetObject", "NoSuchKey", 404)
        version = self.versions[Key][-1]
        return {"Metadata": dict(version.metadata), "Body": io.BytesIO(version.data)}


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
