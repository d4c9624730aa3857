"""The bucket's content, page by page: keys in order, with how many versions each has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stillframe.clients import Clients
from stillframe.settings import Settings


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A key with at least one version. A deleted one still has the versions that it had."""

    key: str
    versions: int

    @property
    def id(self) -> str:
        """The screenshot id in the key: `<prefix>/<2 hex>/<id>.<ext>`; an id may have dots, an extension has none.

        A key that holds none stands for itself: it has a slash, which no id has.
        """
        return self.key.rpartition("/")[2].rpartition(".")[0] or self.key


def stored_objects(clients: Clients, settings: Settings) -> Iterator[StoredObject]:
    """Every key under the prefix. S3 lists versions by key, so that one key is in memory at a time."""
    for key, versions in itertools.groupby(_versions(clients, settings), key=lambda version: version["Key"]):
        yield StoredObject(key, sum(1 for _ in versions))


def _versions(clients: Clients, settings: Settings) -> Iterator[Any]:
    paginator = clients.s3.get_paginator("list_object_versions")
    for page in paginator.paginate(Bucket=settings.bucket_name, Prefix=f"{settings.key_prefix}/"):
        yield from page.get("Versions", [])
