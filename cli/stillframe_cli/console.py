"""Output of the commands: results on stdout as a table or as JSON lines; progress and notes on stderr."""

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

from stillframe.printable import printable, printable_json

QUIET_SECONDS = 3.0
WIDTH_WITHOUT_TERMINAL = 240
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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table. On a terminal, cells that hold an outcome or a status are coloured."""
    # Without a terminal there is no width to fit: nothing is cut, so that a table can be searched.
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        texts = ["" if cell is None else printable(str(cell)) for cell in row]
        table.add_row(*(Text(text, style=OUTCOME_STYLES.get(text, "")) for text in texts))
    console.print(table)


def print_note(message: str) -> None:
    """Print a line for people on stderr."""
    click.echo(printable(message), err=True)


class ProgressReport:
    """Shows the progress of a long job on stderr: a bar on a terminal, otherwise a line for each step.

    With `quiet`, for jobs of many small steps, it prints a line every few seconds instead of one for each step.
    """

    def __init__(self, title: str, total: int, quiet: bool = False) -> None:
        self._title = title
        self._is_quiet = quiet
        self._printed_at = time.monotonic()
        self._lock = threading.Lock()
        self._total = total
        self._done = 0
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
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

    def advance(self, text: str) -> None:
        """Count one more step as done; `text` describes it."""
        with self._lock:
            self._show(self._done + 1, text)

    def set_done(self, done: int, text: str) -> None:
        """Set how many steps are done."""
        with self._lock:
            self._show(done, text)

    def _show(self, done: int, text: str) -> None:
        self._done = done
        if self._bar:
            self._bar.update(self._task, completed=done, description=printable(f"{self._title} {text}")[:60])
        elif not self._is_quiet or done == self._total or time.monotonic() - self._printed_at > QUIET_SECONDS:
            self._printed_at = time.monotonic()
            counter = f"[{done}/{self._total}]"
            print_note(f"{self._title} {counter} {text}" if self._is_quiet else f"{counter} {text}")


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
