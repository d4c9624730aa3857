"""Lists the bucket page by page: keys in order, with the number of versions of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stillframe.clients import Clients
from stillframe.settings import Settings

EXTRA_SLASHES = 3


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A key with at least one version. A deleted object keeps the versions that it had.

    `path` is the key below the prefix: `<2 hex>/<id>.<ext>` for an image, `<2 hex>/<id>/<claim token>/<file>` for an
    extra object.
    """

    key: str
    versions: int
    path: str

    @property
    def is_extra(self) -> bool:
        """Whether it is an extra object beside an image."""
        return self.path.count("/") == EXTRA_SLASHES

    @property
    def id(self) -> str:
        """The screenshot id in the key, or the key itself when it holds no id.

        An id may have dots, but an extension has none. A key has a slash, which no id has.
        """
        if self.is_extra:
            return self.path.split("/")[1] or self.key
        return self.key.rpartition("/")[2].rpartition(".")[0] or self.key


def stored_objects(clients: Clients, settings: Settings) -> Iterator[StoredObject]:
    """List all keys under the prefix. S3 lists versions by key, so that only one key is in memory at a time."""
    start = len(settings.key_prefix) + 1
    for key, versions in itertools.groupby(_versions(clients, settings), key=lambda version: version["Key"]):
        yield StoredObject(key, sum(1 for _ in versions), key[start:])


def _versions(clients: Clients, settings: Settings) -> Iterator[Any]:
    paginator = clients.s3.get_paginator("list_object_versions")
    for page in paginator.paginate(Bucket=settings.bucket_name, Prefix=f"{settings.key_prefix}/"):
        yield from page.get("Versions", [])
