"""The rendering tests on the Chromium of the image, whose version differs from the machine's own."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stillframe_renderer.chromium.executable import find_chromium, version_of
from tests.support.docker import ENVIRONMENT, docker
from tests.support.workers import ROOT, environment

RENDERING = ("tests/corpus", "tests/render")
# As `make test` does.
IN_PARALLEL = ("-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder")
CHROMIUM = "/usr/lib/chromium/chromium-headless-shell"
# What depends on the time that a page takes, and not on the browser, is tested on the browser of this machine alone.
CHOSEN = "not test_repeatable and not 1500-ms"
# What the browser needs from this machine; its profile is in the folder for temporary files.
SHARED = ("/proc", "/dev", "/dev/shm", "/tmp")


@pytest.fixture(scope="module")
def other_chromium(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A command that runs the image's browser as a child of its caller, in the file system of the image."""
    folder = tmp_path_factory.mktemp("image")
    root = folder / "root"
    root.mkdir()
    container = docker("create", image)
    try:
        with subprocess.Popen(["docker", "export", container], env=ENVIRONMENT, stdout=subprocess.PIPE) as export:
            subprocess.run(["tar", "-x", "-C", str(root)], stdin=export.stdout, check=True)
    finally:
        docker("rm", container)
    command = folder / "chromium"
    command.write_text(f'#!/bin/sh\nexec /usr/sbin/chroot {root} {CHROMIUM} "$@"\n')
    command.chmod(0o755)
    with mounted(root):
        yield str(command)


@contextlib.contextmanager
def mounted(root: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for path in SHARED:
            target = f"{root}{path}"
            subprocess.run(["mount", "--bind", path, target], check=True)
            # Lazy, because a browser may still be ending.
            stack.callback(subprocess.run, ["umount", "--lazy", target], check=True)
        yield


def test_rendering_is_right_on_another_version_of_the_browser(other_chromium: str, figures: dict[str, Any]) -> None:
    # Given the browser of the image, and that of this machine
    own, other = version_of(find_chromium()), version_of(other_chromium)
    # When the rendering tests run on the image's browser
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", CHOSEN, *IN_PARALLEL, *RENDERING],
        cwd=ROOT,
        env=environment({"STILLFRAME_CHROMIUM": other_chromium, "CI": "true"}),
        capture_output=True,
        text=True,
        check=False,
    )
    # Then all of them pass
    assert done.returncode == 0, done.stdout[-5000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    figures |= {"chromium": own, "secondChromium": other, "secondChromiumPassed": int(passed[1])}
