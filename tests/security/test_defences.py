"""Removes each defence in turn, in a copy of the code: the test that it names must fail."""

from __future__ import annotations

import queue
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .defences import DEFENCES, Defence

ROOT = Path(__file__).resolve().parent.parent.parent
COPIED = ("lambda_src", "layers", "cli", "stacks", "benchmarks", "tests", "pyproject.toml", "cdk.json")
COPIES = 2
SECONDS = 120
# pytest's exit status when tests failed. Any other means that they passed or did not run.
TESTS_FAILED = 1


@pytest.fixture(scope="module")
def statuses(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> dict[str, tuple[int, str]]:
    """The exit status and last lines of output of each defence's test, with that defence removed."""
    copies: queue.Queue[Path] = queue.Queue()
    for _ in range(COPIES):
        folder = tmp_path_factory.mktemp("copy")
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder / name)
        copies.put(folder)

    def run(defence: Defence) -> tuple[int, str]:
        folder = copies.get()
        try:
            return _run_without(folder, defence)
        finally:
            copies.put(folder)

    with ThreadPoolExecutor(COPIES) as pool:
        return dict(zip([each.name for each in DEFENCES], pool.map(run, DEFENCES), strict=True))


def _run_without(folder: Path, defence: Defence) -> tuple[int, str]:
    path = folder / defence.file
    original = path.read_text()
    assert original.count(defence.present) == 1, (
        f"{defence.name}: {defence.file} has it {original.count(defence.present)} times"
    )
    path.write_text(original.replace(defence.present, defence.removed))
    try:
        # No bytecode is written: two versions of a file within a second would share a cache entry.
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", defence.test]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
        return done.returncode, done.stdout[-1500:]
    except subprocess.TimeoutExpired:
        return -1, f"no end within {SECONDS} s"
    finally:
        path.write_text(original)


@pytest.mark.parametrize("name", [each.name for each in DEFENCES])
def test_without_a_defence_its_test_fails(statuses: dict[str, tuple[int, str]], name: str) -> None:
    status, output = statuses[name]
    assert status == TESTS_FAILED, output
