"""The plot of a load test: messages sent and stored over time, and the latency of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stillframe_cli.plot import Points, draw

from .result import LoadResult


def draw_load(path: Path, result: LoadResult) -> None:
    """Draw the plot. Raises ValueError when matplotlib does not know the file's suffix."""
    started_ms = result.started_at * 1000
    queued = sorted(((r.queued_at or started_ms) - started_ms) / 1000 for r in result.records)
    stored = sorted(((r.updated_at or started_ms) - started_ms) / 1000 for r in result.captured)
    by_end_time = sorted(result.captured, key=lambda record: record.updated_at or 0)
    latency: Points = (
        [((r.updated_at or 0) - started_ms) / 1000 for r in by_end_time],
        [((r.updated_at or 0) - (r.queued_at or 0)) / 1000 for r in by_end_time],
    )
    panels = {
        "messages": {"sent": _cumulative(queued), "stored": _cumulative(stored)},
        "seconds from send to stored": {"": latency},
    }
    draw(path, f"{result.messages} messages by {result.senders} senders", panels, "seconds")


def _cumulative(times: Sequence[float]) -> Points:
    return times, [float(number) for number in range(1, len(times) + 1)]
