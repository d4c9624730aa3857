"""The plot of a plan: every line is seen, the unit fits the load, and the first worker's start is no peak."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stillframe_cli.capacity import plot
from stillframe_cli.capacity.plot import unit_of
from stillframe_cli.main import cli


@pytest.mark.parametrize(
    ("per_second", "unit"),
    [(80, "second"), (1, "second"), (0.9, "minute"), (0.01, "hour"), (0.0001, "hour"), (0, "hour")],
)
def test_a_rate_has_the_unit_in_which_it_is_at_least_one(per_second: float, unit: str) -> None:
    assert unit_of(per_second) == unit


@pytest.mark.parametrize("per_hour", ["20", "1000", "100000"])
def test_no_point_of_the_plot_is_above_the_peak_of_the_load(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, per_hour: str
) -> None:
    # Given what is drawn for a load
    drawn: dict[str, Any] = {}
    monkeypatch.setattr(plot, "draw", lambda path, title, panels, x_label: drawn.update(panels))
    # When a plan is drawn
    ending = CliRunner().invoke(cli, ["plan", "--per-hour", per_hour, "--plot", str(tmp_path / "plan.svg")])
    assert ending.exit_code == 0
    # Then the captures follow the load, whose peak is three times the average, and never exceed it
    rates = next(lines for name, lines in drawn.items() if name.startswith("messages per"))
    (_, arrived), (_, captured) = rates["arrived"], rates["captured"]
    assert max(captured) <= max(arrived) * 1.01
    assert min(arrived[:20]) * 2.9 < max(arrived) < min(arrived[:20]) * 3.1
