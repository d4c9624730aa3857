"""Runs tests/security/namespace in a network namespace in which this machine has every special address."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .namespace.conftest import MARK

ROOT = Path(__file__).resolve().parent.parent.parent
MIN_PASSED = 115


def test_no_special_address_is_reached_from_a_worker_without_exceptions(chromium: str) -> None:
    # Given a network namespace, for which an ordinary user also needs a user namespace
    unshare = ["unshare", "--net", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    probe = subprocess.run([*unshare, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no network namespaces here: {probe.stderr.decode().strip()}")
    # When the tests run in it
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/security/namespace"]
    environment = {**os.environ, MARK: "inside", "STILLFRAME_CHROMIUM": chromium}
    done = subprocess.run([*unshare, *tests], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    # Then all of them pass
    assert done.returncode == 0, done.stdout[-6000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= MIN_PASSED
