"""Real workers: `stillframe consume` in separate processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# The command, run by this interpreter.
STILLFRAME = (sys.executable, "-m", "stillframe_cli")
# The code of this checkout, not that of an installed package.
SOURCES = (
    "layers/stillframe/python",
    "lambda_src/renderer",
    "lambda_src/api",
    "lambda_src/notifier",
    "lambda_src/webhooks",
    "cli",
)
SOURCE_PATH = os.pathsep.join(str(ROOT / each) for each in SOURCES)
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "STILLFRAME_CHROMIUM")


def environment(exports: dict[str, str]) -> dict[str, str]:
    """The environment of a child process: what it needs of this process's environment, and the exports."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": SOURCE_PATH, **exports}


class Worker:
    """One consumer, logging JSON lines to a file."""

    def __init__(self, exports: dict[str, str], log: Path, *options: str) -> None:
        self.name = log.stem
        self._log = log
        self._errors = log.with_suffix(".stderr")
        with log.open("wb") as out, self._errors.open("wb") as err:
            self.process = subprocess.Popen(
                [
                    *STILLFRAME,
                    "consume",
                    "--log-format",
                    "json",
                    "--worker-id",
                    log.stem,
                    *options,
                ],
                cwd=ROOT,
                env=environment(exports),
                stdout=out,
                stderr=err,
            )

    @property
    def is_ready(self) -> bool:
        """Whether it has logged anything: before that, its signal handlers may not be installed."""
        return self._log.stat().st_size > 0

    def lines(self) -> list[dict[str, Any]]:
        """Log lines so far, without metric records."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line.endswith("}")]
        return [line for line in lines if "_aws" not in line]

    def captures(self) -> list[dict[str, Any]]:
        """The canonical log lines."""
        return [line for line in self.lines() if "outcome" in line]

    def errors(self) -> list[dict[str, Any]]:
        """Lines of level ERROR, and anything at all on stderr."""
        stderr = self._errors.read_text()
        lines = [line for line in self.lines() if line["level"] in ("ERROR", "CRITICAL")]
        return lines + ([{"stderr": stderr}] if stderr else [])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> None:
        """Send SIGTERM unless the worker has ended; a frozen worker is resumed to receive it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()

    def stop(self) -> int:
        """Send SIGTERM and wait; returns the exit status."""
        self.terminate()
        return self.end()

    def end(self) -> int:
        """Wait until the worker ends; returns the exit status."""
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Fleet:
    """Starts workers and ends them with the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.workers: list[Worker] = []

    def start(self, exports: dict[str, str], *options: str) -> Worker:
        worker = Worker(exports, self._folder / f"worker-{len(self.workers) + 1}.log", *options)
        self.workers.append(worker)
        return worker

    def captures(self) -> list[dict[str, Any]]:
        return [line for worker in self.workers for line in worker.captures()]

    def stop(self) -> list[int]:
        """Stop all workers at the same time; returns their exit statuses."""
        for worker in self.workers:
            worker.terminate()
        # No second SIGTERM: an interpreter that is shutting down has no handler left, and the signal would kill it.
        return [worker.end() for worker in self.workers]


@contextlib.contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    running = Fleet(folder)
    try:
        yield running
    finally:
        running.stop()


def stillframe(exports: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command with these variables; its exit status is the caller's to judge."""
    return subprocess.run(
        [sys.executable, "-m", "stillframe_cli", *arguments],
        cwd=ROOT,
        env=environment(exports),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def wait_for(condition: Callable[[], object], seconds: float = 30, what: str = "the condition") -> None:
    """Poll until the condition holds; fails with a message that names `what` after the given time."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"{what} did not hold within {seconds} s"
        time.sleep(0.05)
