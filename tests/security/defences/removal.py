"""Runs a defence's test in a copy of the code from which the defence is removed."""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

from .defence import Defence

ROOT = Path(__file__).resolve().parents[3]
COPIED = ("lambda_src", "layers", "cli", "stacks", "benchmarks", "tests", "pyproject.toml", "cdk.json")
SECONDS = 120
# pytest's exit status when tests failed. Any other means that they passed or did not run.
TESTS_FAILED = 1


def copy_code(folder: Path) -> None:
    """Copy what the tests import, with bytecode that is checked by the hash of its source.

    By its time, as usual, two versions of a file within a second would share a cache entry.
    """
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    for name in COPIED[:-2]:
        compileall.compile_dir(folder / name, quiet=2, invalidation_mode=mode)


def assert_needed(defence: Defence, folder: Path) -> None:
    """Assert that the defence's test fails, by an assertion of its own, when the copy of the code is without it."""
    path = folder / defence.file
    original = path.read_text()
    assert original.count(defence.present) == 1, (
        f"{defence.name}: {defence.file} has it {original.count(defence.present)} times"
    )
    path.write_text(original.replace(defence.present, defence.removed))
    # Loading the plugins takes three times as long as most of the tests.
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", defence.test]
    try:
        done = subprocess.run(
            command, cwd=folder, env=alone, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise AssertionError(f"no end within {SECONDS} s") from None
    finally:
        path.write_text(original)
    assert done.returncode == TESTS_FAILED, done.stdout[-1500:] + done.stderr[-1500:]
