"""What `plan` says and assumes, beside what `make bench-lambda` measured last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.environment import Run
from benchmarks.function import compared_with_plan, figures_of
from benchmarks.function_report import RESULTS
from stacks.presets import PRESETS
from stillframe_cli.capacity.figures import ASSUMED
from stillframe_cli.capacity.lambda_size import INITIALISATION_SECONDS

TOLERANCE = 0.15
DOCS = Path(__file__).parents[2] / "docs/performance.md"


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """The figures of the image by memory."""
    result: dict[str, Any] = json.loads(RESULTS.read_text())
    figures: dict[str, Any] = list(result["images"].values())[-1]
    return figures


def test_the_plan_is_within_fifteen_percent_of_what_was_measured(measured: dict[str, Any]) -> None:
    # Given the results for each preset, in full events and in those of one page
    ratios = compared_with_plan(measured)["toMeasured"]
    sizes = {(preset["memoryMb"], preset["batchSize"]) for preset in PRESETS.values()}
    assert set(ratios) == {f"{memory}/{batch}" for memory, full in sizes for batch in (1, full)}
    # Then captures a second and the price of a thousand are as `plan` has them
    wrong = {name: each for name, each in ratios.items() if any(abs(1 - ratio) > TOLERANCE for ratio in each.values())}
    assert wrong == {}


def test_what_plan_assumes_was_measured(measured: dict[str, Any]) -> None:
    figures = figures_of(measured)
    assert pytest.approx(figures.cpu_ms, rel=0.1) == ASSUMED.cpu_ms
    assert pytest.approx(figures.duration_ms, rel=0.1) == ASSUMED.duration_ms
    assert pytest.approx(figures.p99_ms, rel=0.2) == ASSUMED.p99_ms
    start = measured["1536"]["coldStart"]
    assert pytest.approx((start["importMs"] + start["browserMs"]) / 1000, rel=0.2) == INITIALISATION_SECONDS


def test_no_page_failed_and_the_documents_have_these_figures(measured: dict[str, Any]) -> None:
    page = DOCS.read_text()
    for memory, size in measured.items():
        for name, run in size["runs"].items():
            assert run["failed"] == 0, (memory, name)
            assert f"| {run['capturesPerSecond']:.2f} | {run['gbSeconds']:.3f} |" in page


def test_runs_are_put_together_by_what_they_took() -> None:
    # Given two runs of two captures each, of which the second took twice as long
    first = Run(1, 1.0, 0.4, (400, 600), 0, 100)
    together = Run.together([first, Run(1, 2.0, 0.6, (800, 1000), 1, 300)])
    # Then a capture took three quarters of a second, and its price is that of its memory
    wire = together.to_wire(1024)
    assert (wire["captures"], wire["failed"], wire["capturesPerSecond"]) == (4, 1, 1.333)
    assert (wire["gbSeconds"], wire["cpuMs"], wire["meanMs"]) == (0.75, 250, 700)
    assert wire["computeUsdPerThousand"]["arm64"] == pytest.approx(0.01, abs=1e-4)
