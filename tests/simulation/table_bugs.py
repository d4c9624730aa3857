"""Plausible mistakes in the conditional writes: the table gets another update from the one that the transition made."""

from __future__ import annotations

from dataclasses import replace

from stillframe.table.attributes import CLAIMED_AT, ID, INDEX_SHARD, STATUS, UPDATED_AT
from stillframe.table.record import Status
from stillframe.table.table import Table, Written
from stillframe.table.update import Update

HOUR_MS = 3_600_000


class ChangedTable(Table):
    """A table that writes a different update from the one that the transition made."""

    def changed(self, update: Update) -> Update:
        """The update to write instead."""
        raise NotImplementedError

    def update(self, key: str, update: Update, *, return_old: bool = False) -> Written:
        return super().update(key, self.changed(update), return_old=return_old)


class UnfencedCompletion(ChangedTable):
    """Completes the record whoever holds the claim, like the persistence layer of Powertools."""

    def changed(self, update: Update) -> Update:
        if update.set_values.get(STATUS) in (Status.SUCCESS, Status.FAILED):
            return replace(update, condition=f"attribute_exists(#{ID})", values={})
        return update


class UnfencedRelease(ChangedTable):
    """Releases the claim whoever holds it, like the persistence layer of Powertools."""

    def changed(self, update: Update) -> Update:
        if update.set_values.get(STATUS) is Status.QUEUED and ":token" in update.values:
            return replace(update, condition=f"attribute_exists(#{ID})", values={})
        return update


class TakesOverAnything(ChangedTable):
    """Claims a record that is being processed, whether or not its lease has expired."""

    def changed(self, update: Update) -> Update:
        if update.set_values.get(STATUS) is Status.PROCESSING:
            return replace(update, values={**update.values, ":now": update.values[":now"] + HOUR_MS})
        return update


class MovesClaims(ChangedTable):
    """Claims a record and notes the time in a key of the index."""

    def changed(self, update: Update) -> Update:
        if update.set_values.get(STATUS) is Status.PROCESSING:
            expressions = tuple(each for each in update.set_expressions if UPDATED_AT not in each)
            return replace(update, set_expressions=(*expressions, f"#{UPDATED_AT} = :now"))
        return update


class UnlistsFailures(ChangedTable):
    """Takes a failure out of the index, like a success."""

    def changed(self, update: Update) -> Update:
        if update.set_values.get(STATUS) is Status.FAILED:
            values = {name: value for name, value in update.set_values.items() if name != INDEX_SHARD}
            return replace(update, set_values=values, remove=(*update.remove, INDEX_SHARD))
        return update


class LetsSuccessExpire(ChangedTable):
    """Lets a success be claimed again, like a record whose idempotency window has ended."""

    def changed(self, update: Update) -> Update:
        if update.set_values.get(STATUS) is Status.PROCESSING:
            condition = f"{update.condition} OR (#{STATUS} = :success AND #{CLAIMED_AT} < :now)"
            return replace(update, condition=condition, values={**update.values, ":success": Status.SUCCESS})
        return update
