"""S3: conditional writes, metadata, checksums (S3 User Guide, "Conditional writes", "Checking object integrity")."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Services


def checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


class Bucket:
    """Shortcuts to the bucket under test."""

    def __init__(self, services: Services) -> None:
        self._client = services.clients.s3
        self._name = services.settings.bucket_name

    def put(self, data: bytes, **arguments: Any) -> Any:
        return self._client.put_object(
            Bucket=self._name, Key="k/a.png", Body=data, ContentType="image/png", **arguments
        )

    def head(self, key: str = "k/a.png") -> Any:
        return self._client.head_object(Bucket=self._name, Key=key, ChecksumMode="ENABLED")

    def get(self, key: str = "k/a.png") -> Any:
        return self._client.get_object(Bucket=self._name, Key=key)


@pytest.fixture
def bucket(services: Services) -> Bucket:
    return Bucket(services)


def status_of(error: pytest.ExceptionInfo[ClientError]) -> int:
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_an_object_keeps_everything_it_was_put_with(bucket: Bucket) -> None:
    # Given / When an object is put with metadata and a checksum
    data = b"an image"
    bucket.put(data, Metadata={"id": "a", "sha256": "f" * 64}, ChecksumSHA256=checksum(data), IfNoneMatch="*")
    # Then HEAD returns all of it
    head = bucket.head()
    assert (head["ContentType"], head["ContentLength"]) == ("image/png", 8)
    assert head["Metadata"] == {"id": "a", "sha256": "f" * 64}
    assert head["ChecksumSHA256"] == checksum(data)


def test_an_object_is_read_with_its_metadata(bucket: Bucket) -> None:
    bucket.put(b"an image", Metadata={"id": "a"})
    stored = bucket.get()
    assert (stored["Body"].read(), stored["Metadata"]) == (b"an image", {"id": "a"})


@pytest.mark.parametrize("read", [Bucket.head, Bucket.get])
def test_a_key_without_an_object_is_404(bucket: Bucket, read: Callable[[Bucket, str], Any]) -> None:
    with pytest.raises(ClientError) as error:
        read(bucket, "k/missing.png")
    assert status_of(error) == 404


def test_if_none_match_does_not_overwrite(bucket: Bucket) -> None:
    # Given an object
    bucket.put(b"first", IfNoneMatch="*")
    # When another one is put on the condition that none exists
    with pytest.raises(ClientError) as error:
        bucket.put(b"second!", IfNoneMatch="*")
    # Then the status is 412, and the first one is still there
    assert status_of(error) == 412
    assert bucket.head()["ContentLength"] == 5


def test_without_a_condition_the_last_write_wins(bucket: Bucket) -> None:
    bucket.put(b"first")
    bucket.put(b"second!")
    assert bucket.head()["ContentLength"] == 7


def test_a_body_that_does_not_match_its_checksum_is_refused(bucket: Bucket) -> None:
    # Given / When a body is put that was damaged on the way
    with pytest.raises(ClientError) as error:
        bucket.put(b"damaged", ChecksumSHA256=checksum(b"whole"))
    # Then it is refused and nothing is stored
    assert status_of(error) == 400
    with pytest.raises(ClientError):
        bucket.head()
