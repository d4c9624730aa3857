"""Output of the commands: results on stdout as a table or as JSON lines; progress and notes on stderr."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from stillframe.printable import printable, printable_json

QUIET_SECONDS = 3.0
# Terminals that can neither move the cursor nor show colours (terminfo).
DUMB_TERMINALS = ("dumb", "unknown")
OUTCOME_STYLES = {
    "captured": "green",
    "success": "green",
    "skipped": "dim",
    "processing": "cyan",
    "queued": "cyan",
    "failed": "red",
    "retry": "yellow",
}

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on stdout.")


def print_json(value: Mapping[str, Any]) -> None:
    """Print one object on one line and flush it, because the reader may be waiting for it."""
    click.echo(printable_json(json.dumps(value, ensure_ascii=False, default=str)))


def has_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal on which a line can be drawn again."""
    return bool(stream.isatty()) and os.environ.get("TERM", "") not in DUMB_TERMINALS


def has_colors() -> bool:
    """Whether output may have colours (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in DUMB_TERMINALS


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table. On a terminal, cells that hold an outcome or a status are coloured.

    Elsewhere it is for programs: tabs between the cells, no header, and nothing is cut or padded.
    """
    texts = [["" if cell is None else printable(str(cell)) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for cells in texts:
            click.echo("\t".join(cell.replace("\t", " ") for cell in cells))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for cells in texts:
        table.add_row(*(Text(cell, style=OUTCOME_STYLES.get(cell, "")) for cell in cells))
    Console(file=sys.stdout).print(table)


def print_note(message: str) -> None:
    """Print a line for people on stderr."""
    click.echo(printable(message), err=True)


class ProgressReport:
    """Shows the progress of a long job on stderr, with its rate and the time that is left.

    It is a bar on a terminal. Elsewhere it is a line every few seconds, and one at the end.
    """

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._started_at = self._printed_at = time.monotonic()
        self._lock = threading.Lock()
        self._total = total
        self._done = 0
        self._bar: Progress | None = None
        if has_terminal(sys.stderr):
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[pace]}", markup=False),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(title, total=total, pace="")

    def __enter__(self) -> ProgressReport:
        self._started_at = self._printed_at = time.monotonic()
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def set_total(self, total: int) -> None:
        """Set how many steps there are, for a job that finds out only by and by."""
        with self._lock:
            self._total = total
            if self._bar:
                self._bar.update(self._task, total=total)

    def advance(self, text: str = "") -> None:
        """Count one more step as done; `text` says something about all of them, such as how many failed."""
        with self._lock:
            self._show(self._done + 1, text)

    def set_done(self, done: int, text: str = "") -> None:
        """Set how many steps are done."""
        with self._lock:
            self._show(done, text)

    def _show(self, done: int, text: str) -> None:
        self._done = done
        now = time.monotonic()
        pace = ", ".join(filter(None, (describe_pace(done, self._total, now - self._started_at), text)))
        if self._bar:
            self._bar.update(self._task, completed=done, pace=printable(pace))
        elif done == self._total or now - self._printed_at > QUIET_SECONDS:
            self._printed_at = now
            print_note(f"{self._title} [{done}/{self._total}] {pace}".rstrip())


def describe_pace(done: int, total: int, seconds: float) -> str:
    """Return the rate of a job and the time that it will still take: `3.2/s, 38 s left`."""
    if not done or seconds <= 0:
        return ""
    rate = done / seconds
    shown = f"{rate:.1f}/s" if rate >= 0.1 else f"{rate * 60:.1f}/min"
    return shown if done >= total else f"{shown}, {human_seconds((total - done) / rate)} left"


def human_seconds(seconds: float) -> str:
    """Format a duration as `45 s`, `12 min` or `3 h 20 min`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def human_bytes(count: int | None) -> str:
    """Format a number of bytes in the unit that leaves at most three digits, for example `45 KB`."""
    if count is None:
        return ""
    size = float(count)
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
