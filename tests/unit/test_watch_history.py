"""What became of the periods of a watch whose schedule was another one in the meantime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from stillframe.archive import Archive
from stillframe.table.record import Record, Status
from stillframe.watches.declared import Declared
from stillframe.watches.history import History
from stillframe.watches.watch import Watch
from stillframe_cli.commands.history import change_of

HOUR_MS = 3_600_000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
URL = "https://example.com/"


class EmptyArchive:
    """Nothing was captured."""

    def records_by_id(self, ids: list[str]) -> dict[str, Any]:
        return {}


def declared(every: str) -> Declared:
    return Declared.of("shop", {"urls": [URL], "every": every})


@pytest.mark.parametrize("change", ["paused", "removed", "weekly"])
def test_a_period_is_missed_once_its_own_schedule_has_ended(change: str) -> None:
    # Given a daily watch that nobody served, and that ended or became a weekly one after its first period
    watch, changed_ms = Watch.new(declared("1d"), START_MS), START_MS + 25 * HOUR_MS
    changes: dict[str, Callable[[int], Watch]] = {
        "paused": watch.paused,
        "removed": watch.removed,
        "weekly": lambda now_ms: watch.changed_to(declared("7d"), now_ms),
    }
    watch = changes[change](changed_ms)
    # When an hour has passed since, in which nobody could send the period any more
    history = History(cast(Archive, EmptyArchive()))
    (period,) = history.of(watch, URL, START_MS, changed_ms + HOUR_MS)
    # Then it is missed, and `audit` names it
    assert period.state == "missed"
    assert [each.id for each in history.missed(watch, START_MS, changed_ms + HOUR_MS)] == [period.id]


def test_a_period_is_due_while_it_may_still_be_sent() -> None:
    watch = Watch.new(declared("1d"), START_MS)
    (period,) = History(cast(Archive, EmptyArchive())).of(watch, URL, START_MS, START_MS + 40 * HOUR_MS)
    assert period.state == "due"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, ""),
        ({"difference": 0.0}, "0.00%"),
        ({"difference": 0.000001, "changed": True}, "<0.01%"),
        ({"difference": 0.0002, "changed": True}, "0.02%"),
        ({"difference": 0.5, "changed": True, "changed_since": "a"}, "50.00% (as before)"),
        ({"difference": 0.5, "unconfirmed": True}, "50.00% (unconfirmed)"),
    ],
)
def test_a_change_of_any_size_is_shown_as_one(facts: dict[str, Any], said: str) -> None:
    assert change_of(Record(id="a", status=Status.SUCCESS, **facts)) == said
