"""Logs for people: one short line for each delivery that says who won the claim and who lost it."""

from __future__ import annotations

import logging
import sys
from typing import IO

from rich.console import Console
from rich.text import Text

from stillframe.printable import printable
from stillframe_renderer.observability import SERVICE

LEVEL_STYLES = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red", "DEBUG": "dim"}
# Attributes that every LogRecord has; all others were given as `extra`.
STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class ConsoleHandler(logging.Handler):
    """Writes to a stream, stderr unless given, in colour on a terminal."""

    def __init__(self, worker_id: str, stream: IO[str] | None = None) -> None:
        super().__init__()
        self._console = Console(file=stream or sys.stderr, soft_wrap=True, highlight=False)
        self._worker_id = worker_id

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._print(record)
        except Exception:
            self.handleError(record)

    def _print(self, record: logging.LogRecord) -> None:
        extra = {name: value for name, value in vars(record).items() if name not in STANDARD_ATTRIBUTES}
        text = _outcome_text(extra) if "outcome" in extra else _plain_text(record, extra)
        time = self.formatTime(record)
        who, level = (f"{time} {self._worker_id} ", "dim"), (f"{record.levelname:<7} ", _style(record))
        line = Text.assemble(who, level, printable(text))
        self._console.print(line)
        if record.exc_info:
            for line_of_trace in logging.Formatter().formatException(record.exc_info).splitlines():
                self._console.print(Text(printable(line_of_trace)))

    def formatTime(self, record: logging.LogRecord) -> str:  # noqa: N802  # name given by the base class
        return logging.Formatter().formatTime(record, "%H:%M:%S")


def console_logger(level: str, worker_id: str, stream: IO[str] | None = None) -> None:
    """Write the logs of all Stillframe modules to a stream, stderr unless given, formatted for people."""
    handler = ConsoleHandler(worker_id, stream)
    for name in (SERVICE, "stillframe_renderer"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level.upper())
        logger.propagate = False


def _style(record: logging.LogRecord) -> str:
    return LEVEL_STYLES.get(record.levelname, "")


def _outcome_text(extra: dict[str, object]) -> str:
    outcome, screenshot_id = extra["outcome"], extra["id"]
    if outcome == "captured":
        verb = "adopted" if extra.get("adopted") else "captured"
        size = f"{extra.get('width')}x{extra.get('height')}"
        return (
            f"WON  {screenshot_id} {verb} {size} {extra.get('bytes')} bytes in {extra['durationMs']} ms {extra['url']}"
        )
    if outcome == "skipped":
        return f"LOST {screenshot_id} skipped: {extra.get('reason')} (winner {extra.get('winner', 'unknown')})"
    return f"{str(outcome).upper()} {screenshot_id} {extra.get('reason')}: {extra.get('errorMessage')}"


def _plain_text(record: logging.LogRecord, extra: dict[str, object]) -> str:
    details = " ".join(f"{name}={value}" for name, value in extra.items())
    return f"{record.getMessage()} {details}".rstrip()
