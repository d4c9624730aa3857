"""The stored watches: an item of the table for each, beside the records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from botocore.exceptions import ClientError

from stillframe.aws_errors import error_code, translated_errors
from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.refused import Refused
from stillframe.settings import Settings
from stillframe.table import side_items
from stillframe.table.attributes import TENANT_SHARD, WATCH, from_attributes, to_attributes
from stillframe.table.record import TENANT_INDEX
from stillframe.table.table import Table
from stillframe.watches.declared import Declared
from stillframe.watches.watch import Watch

# A screenshot id cannot contain this character, so such an item is never in the place of a record.
PREFIX = "watch#"
# The partition of all watches in the index of tenants. No tenant's own partition begins so.
PARTITION = "#watches"
ATTEMPTS = 5


class UnknownWatch(Refused):
    """There is no watch with the name."""

    code = "UNKNOWN_WATCH"

    @classmethod
    def of(cls, name: str) -> Self:
        return cls(f"There is no watch {name}. `stillframe watch list` shows all.")


class WatchStore:
    """Reads and changes watches. Every method raises ServiceUnavailable when AWS does not do as asked."""

    def __init__(self, clients: Clients, settings: Settings, clock: Clock | None = None) -> None:
        self._dynamodb = clients.dynamodb
        self._table_name = settings.table_name
        self._kept_seconds = settings.record_retention_days * 24 * 3600
        self._table = Table(clients.dynamodb, settings.table_name)
        self._clock = clock or SystemClock()

    def list(self) -> list[Watch]:
        """All watches by name. A new or changed one is listed as it is within seconds."""
        arguments: dict[str, Any] = {
            "TableName": self._table_name,
            "IndexName": TENANT_INDEX,
            "KeyConditionExpression": f"{TENANT_SHARD} = :watches",
            "ExpressionAttributeValues": to_attributes({":watches": PARTITION}),
        }
        found: list[dict[str, Any]] = []
        with translated_errors("query"):
            try:
                for page in self._dynamodb.get_paginator("query").paginate(**arguments):
                    found += map(from_attributes, page["Items"])
            except ClientError as error:
                # A table that was deployed before there were watches has no such index.
                if error_code(error) != "ValidationException":
                    raise
        return sorted((Watch.model_validate_json(item[WATCH]) for item in found), key=lambda watch: watch.name)

    def find(self, name: str) -> Watch:
        """The watch with this name, also one that was removed, for as long as records are kept. Raises UnknownWatch."""
        watch = self._read(name)
        if watch is None:
            raise UnknownWatch.of(name)
        return watch

    def declare(self, declared: Declared) -> Watch:
        """Make a watch as it is declared, or change it. What it has been until now is remembered."""
        now_ms = self._clock.now_ms()
        return self._replace(
            declared.name,
            lambda found: Watch.new(declared, now_ms) if found is None else found.changed_to(declared, now_ms),
        )

    def pause(self, name: str) -> Watch:
        """Let no new period of a watch begin. Raises UnknownWatch."""
        return self._replace(name, lambda found: _known(name, found).paused(self._clock.now_ms()))

    def resume(self, name: str) -> Watch:
        """Let periods begin again, from now on. Raises UnknownWatch."""
        return self._replace(name, lambda found: _known(name, found).resumed(self._clock.now_ms()))

    def remove(self, name: str) -> Watch:
        """End a watch; one that has ended stays as it is. Raises UnknownWatch."""

        def change(found: Watch | None) -> Watch:
            if found is None:
                raise UnknownWatch.of(name)
            return found if found.is_removed else found.removed(self._clock.now_ms())

        return self._replace(name, change)

    def _replace(self, name: str, change: Callable[[Watch | None], Watch]) -> Watch:
        """Replace a watch by what becomes of it. Whoever replaces it at the same time makes this begin anew."""
        for _ in range(ATTEMPTS):
            found = self._read(name)
            changed, version = change(found), found.version if found is not None else 0
            if found is not None and changed == found:
                return found
            changed, now_ms = changed.model_copy(update={"version": version + 1}), self._clock.now_ms()
            update = side_items.replace_watch(
                changed.model_dump_json(by_alias=True),
                version,
                now_ms,
                None if changed.is_removed else PARTITION,
                now_ms // 1000 + self._kept_seconds if changed.is_removed else None,
            )
            if self._table.update(PREFIX + name, update).is_applied:
                return changed
        raise Refused(f"Somebody else is changing the watch {name} at the same time. Try again.")

    def _read(self, name: str) -> Watch | None:
        item = self._table.get(PREFIX + name)
        return Watch.model_validate_json(item[WATCH]) if item is not None else None


def _known(name: str, found: Watch | None) -> Watch:
    if found is None or found.is_removed:
        raise UnknownWatch.of(name)
    return found
