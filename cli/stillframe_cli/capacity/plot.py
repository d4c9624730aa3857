"""The plot of a plan: load and captures, backlog, workers, over the simulated time."""

from __future__ import annotations

from pathlib import Path

from stillframe_cli.plot import draw

from .plan import Plan
from .timeline import Timeline


def draw_plan(path: Path, plan: Plan) -> None:
    """Raises ValueError when the ending of the file's name is no known format."""
    timeline = plan.function_timeline if plan.choice == "lambda" else plan.fleet_timeline
    minutes = [second.at / 60 for second in timeline.seconds]
    draw(
        path,
        f"{plan.choice}: {plan.target.per_hour:,.0f} an hour, {plan.target.burst:g} times that at the peak",
        {
            "a second": {
                "arrive": (minutes, [second.arrived for second in timeline.seconds]),
                "captured": (minutes, [second.captured for second in timeline.seconds]),
            },
            "waiting": {"": (minutes, [second.backlog for second in timeline.seconds])},
            "workers": {"": (minutes, [float(second.workers) for second in timeline.seconds])},
        },
        "minutes",
    )


def table_of(timeline: Timeline) -> list[tuple[object, ...]]:
    """A row for each minute."""
    return [tuple(row.values()) for row in timeline.by_minute()]
