"""What a plan says first, and the figures that it refuses."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from stillframe.table.record import Record
from stillframe_cli.capacity.figures import Figures, from_load_test, from_records
from stillframe_cli.capacity.plan import Plan
from stillframe_cli.capacity.target import Target


def test_a_plan_begins_with_what_to_choose_and_why() -> None:
    for per_hour in (10, 10_000, 3_000_000):
        plan = Plan(Target(per_hour), Figures(950, 1000, 1500, 300_000, "measured"))
        assert plan.reasons()[0].startswith(f"Use {plan.choice}: ")
        assert "meets the deadline" in plan.reasons()[0] or "meet the deadline" in plan.reasons()[0]


def test_records_and_load_tests_without_a_measured_capture_are_refused(tmp_path: Path) -> None:
    # Given a record of an image that was adopted, which took no CPU time, and a load test without captures
    adopted = Record.model_validate({"id": "x", "status": "success", "cpuMs": 0, "durationMs": 5, "bytes": 10})
    load = tmp_path / "load.json"
    load.write_text('{"cpuMs": 0, "durationMs": {"p10": 1, "p99": 2}, "bytes": 0, "captured": 0}')
    # Then neither is planned with
    with pytest.raises(click.UsageError, match="no record of a successful capture"):
        from_records([adopted])
    with pytest.raises(click.UsageError, match="no CPU time"):
        from_load_test(load)
