"""The plot of a load test: what was sent and what was stored, and how long each took."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stillframe_cli.plot import Points, draw

from .result import LoadResult


def draw_load(path: Path, result: LoadResult) -> None:
    """Raises ValueError when the name's ending is no format that can be written."""
    began = result.began * 1000
    queued = sorted(((r.queued_at or began) - began) / 1000 for r in result.records)
    stored = sorted(((r.updated_at or began) - began) / 1000 for r in result.captured)
    by_end = sorted(result.captured, key=lambda record: record.updated_at or 0)
    took: Points = (
        [((r.updated_at or 0) - began) / 1000 for r in by_end],
        [((r.updated_at or 0) - (r.queued_at or 0)) / 1000 for r in by_end],
    )
    panels = {
        "messages": {"sent": _counted(queued), "stored": _counted(stored)},
        "seconds from send to stored": {"": took},
    }
    draw(path, f"{result.messages} messages by {result.senders} senders", panels, "seconds")


def _counted(times: Sequence[float]) -> Points:
    return times, [float(number) for number in range(1, len(times) + 1)]
