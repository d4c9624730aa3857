"""The plot and the table of a plan: load, captures, backlog and workers over the simulated time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from stillframe_cli.plot import draw

from .plan import Plan
from .timeline import Second, Timeline

# Units of a rate by the seconds in them, the finest first.
UNITS = {"second": 1, "minute": 60, "hour": 3600}
# A point of the plot stands for so many seconds. The start of the first worker is no peak of the load.
POINT_SECONDS = 60


def draw_plan(path: Path, plan: Plan) -> None:
    """Draw the plot. Raises ValueError when matplotlib does not know the file's suffix."""
    timeline = plan.function_timeline if plan.choice == "lambda" else plan.fleet_timeline
    points = list(_points(timeline.seconds))
    minutes = [point[0].at / 60 for point in points]
    arrived = [_mean([second.arrived for second in point]) for point in points]
    captured = [_mean([second.captured for second in point]) for point in points]
    unit = unit_of(max(arrived, default=0.0))
    draw(
        path,
        f"{plan.choice}: {plan.target.per_hour:,.0f} per hour, {plan.target.burst:g} times that at the peak",
        {
            f"messages per {unit}": {
                "arrived": (minutes, [rate * UNITS[unit] for rate in arrived]),
                "captured": (minutes, [rate * UNITS[unit] for rate in captured]),
            },
            "waiting": {"": (minutes, [point[-1].backlog for point in points])},
            "workers": {"": (minutes, [float(max(second.workers for second in point)) for point in points])},
        },
        "minutes",
    )


def unit_of(per_second: float) -> str:
    """The finest unit of time in which a rate is at least one."""
    return next((unit for unit, seconds in UNITS.items() if per_second * seconds >= 1), "hour")


def minute_rows(timeline: Timeline) -> list[tuple[object, ...]]:
    """Return a table row for each minute."""
    return [tuple(row.values()) for row in timeline.by_minute()]


def _points(seconds: Sequence[Second]) -> Iterator[Sequence[Second]]:
    for start in range(0, len(seconds), POINT_SECONDS):
        yield seconds[start : start + POINT_SECONDS]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
