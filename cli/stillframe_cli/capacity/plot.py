"""The plot and the table of a plan: load, captures, backlog and workers over the simulated time."""

from __future__ import annotations

from pathlib import Path

from stillframe_cli.plot import draw

from .plan import Plan
from .timeline import Timeline


def draw_plan(path: Path, plan: Plan) -> None:
    """Draw the plot. Raises ValueError when matplotlib does not know the file's suffix."""
    timeline = plan.function_timeline if plan.choice == "lambda" else plan.fleet_timeline
    minutes = [second.at / 60 for second in timeline.seconds]
    draw(
        path,
        f"{plan.choice}: {plan.target.per_hour:,.0f} per hour, {plan.target.burst:g} times that at the peak",
        {
            "messages per second": {
                "arrived": (minutes, [second.arrived for second in timeline.seconds]),
                "captured": (minutes, [second.captured for second in timeline.seconds]),
            },
            "waiting": {"": (minutes, [second.backlog for second in timeline.seconds])},
            "workers": {"": (minutes, [float(second.workers) for second in timeline.seconds])},
        },
        "minutes",
    )


def minute_rows(timeline: Timeline) -> list[tuple[object, ...]]:
    """Return a table row for each minute."""
    return [tuple(row.values()) for row in timeline.by_minute()]
