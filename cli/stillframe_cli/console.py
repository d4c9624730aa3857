"""Output: results on stdout, as a table or as JSON lines; progress and logs on stderr."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

QUIET_SECONDS = 3.0
OUTCOME_STYLES = {
    "captured": "green",
    "success": "green",
    "skipped": "dim",
    "processing": "cyan",
    "queued": "cyan",
    "failed": "red",
    "retry": "yellow",
}

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout.")


def print_json(value: Mapping[str, Any]) -> None:
    """One object on one line, flushed: the reader may be waiting for it."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table for people; cells that name an outcome or a status have its colour, on a terminal."""
    # Off a terminal there is no width to fit: nothing is cut, so that a table can be searched.
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 240)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        texts = ["" if cell is None else str(cell) for cell in row]
        table.add_row(*(Text(text, style=OUTCOME_STYLES.get(text, "")) for text in texts))
    console.print(table)


def note(message: str) -> None:
    """A line for people on stderr."""
    click.echo(message, err=True)


class ProgressReport:
    """Progress of a long job on stderr: a bar on a terminal, elsewhere a line for each step.

    A quiet one has a line every few seconds instead: its steps are many, and tell nothing by themselves.
    """

    def __init__(self, title: str, total: int, quiet: bool = False) -> None:
        self._title = title
        self._is_quiet = quiet
        self._told_at = time.monotonic()
        self._lock = threading.Lock()
        self._total = total
        self._done = 0
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(title, total=total)

    def __enter__(self) -> ProgressReport:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def step(self, text: str, count: int = 1) -> None:
        """Count what is done; `text` says what it was."""
        with self._lock:
            self._tell(self._done + count, text)

    def reach(self, done: int, text: str) -> None:
        """So many are done by now."""
        with self._lock:
            self._tell(done, text)

    def _tell(self, done: int, text: str) -> None:
        self._done = done
        if self._bar:
            self._bar.update(self._task, completed=done, description=f"{self._title} {text}"[:60])
        elif not self._is_quiet or done == self._total or time.monotonic() - self._told_at > QUIET_SECONDS:
            self._told_at = time.monotonic()
            note(f"{self._title} [{done}/{self._total}] {text}" if self._is_quiet else f"[{done}/{self._total}] {text}")


def human_bytes(count: int | None) -> str:
    """Bytes in the unit that keeps three digits."""
    if count is None:
        return ""
    size = float(count)
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
