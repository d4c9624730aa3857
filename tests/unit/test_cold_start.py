"""What a cold start must not pay for: packages that no ordinary capture needs are imported when they are."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.support.workers import ROOT, SOURCE_PATH

# Comparing, encoding and checking images; filter lists; printing; the command line and what only that uses.
LATE = {
    "PIL",
    "adblock",
    "click",
    "cronsim",
    "defusedxml",
    "jinja2",
    "markdown_it",
    "numpy",
    "protego",
    "pygments",
    "rich",
    "standardwebhooks",
    "stillframe_cli",
    "yaml",
}


def imported_by(module: str) -> set[str]:
    """The top-level packages that a new process has after importing a module."""
    script = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": SOURCE_PATH},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_the_handler_imports_no_package_that_few_captures_need() -> None:
    assert imported_by("stillframe_renderer.handler") & LATE == set()


def test_the_browser_can_be_started_before_any_other_package_is_imported() -> None:
    # Given / When the module that starts it
    found = imported_by("stillframe_renderer.chromium.start")
    # Then it has imported the standard library and this project only
    third_party = found - set(sys.stdlib_module_names) - {"stillframe", "stillframe_renderer"}
    assert {name for name in third_party if not name.startswith("_")} == set()
