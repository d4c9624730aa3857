"""`stillframe site` as a user runs it, in a process of its own."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .workers import ROOT, STILLFRAME, environment

SMALL = ("--width", "64", "--height", "48", "--wait", "load")


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def site(host: str, out: Path, *options: str, exports: dict[str, str] | None = None, path: str = "/") -> Done:
    command = [*STILLFRAME, "site", f"http://{host}{path}", "--out", str(out), "--allow-host", host, *SMALL, *options]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(exports or {}), capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def manifest(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "site.json").read_text())
    return found
