"""What a killed browser leaves behind is reaped by the worker, whatever the first process of its container does."""

from __future__ import annotations

import subprocess
import sys

# A leader that is killed alone, with a child that it has not waited for; then the whole group.
PROGRAM = """
import os, signal, time
from pathlib import Path
from stillframe_renderer.chromium.process import spawn
from stillframe_renderer.process_setup import adopt_orphans
{first}
spawned = spawn("/bin/sh", ["-c", "sleep 300 & echo $! >&2; exec sleep 300"], {{}})
child = int(os.read(spawned.errors, 100))
os.kill(spawned.group.pid, signal.SIGKILL)
os.waitpid(spawned.group.pid, 0)
time.sleep(0.1)
parent = int(Path(f"/proc/{{child}}/stat").read_text().rpartition(")")[2].split()[1])
spawned.group.kill()
spawned.group.reap()
print(parent == os.getpid(), Path(f"/proc/{{child}}").exists())
"""


def run(first: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(first=first)], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def test_an_orphan_becomes_a_child_of_the_worker_and_is_reaped() -> None:
    assert run("adopt_orphans()") == ["True", "False"]


def test_without_it_an_orphan_is_somebody_elses() -> None:
    assert run("")[0] == "False"
