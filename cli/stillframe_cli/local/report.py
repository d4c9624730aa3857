"""What `shoot` tells people: its progress, what failed, and a summary at the end."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from stillframe.egress.policy import EgressPolicy
from stillframe.errors import BlockedAddress, StatusRefused, StatusUnavailable
from stillframe.outcome import OutcomeKind

from ..console import ProgressReport, human_bytes, human_seconds, print_json, print_note, print_table
from ..input.allow_hosts import advise

RESULT_FIELDS = (
    "id", "url", "outcome", "reason", "status", "path", "s3Url", "width", "height", "bytes", "sha256", "httpStatus",
    "title", "errorCode", "errorMessage", "durationMs",
)  # fmt: skip
RESULT_COLUMNS = ("OUTCOME", "REASON", "SIZE", "BYTES", "TIME", "PATH", "URL")
# More results than these are summarised; the gallery and results.jsonl have all of them.
MAX_LISTED = 20
ALREADY_SAVED = "already_saved"
FAILED, STATUS_FAILED = 1, 3
STATUS_CODES = (StatusRefused.code, StatusUnavailable.code)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended: results of this run, results of earlier runs that it found, and how many it was to have."""

    results: Sequence[dict[str, Any]]
    found: int
    total: int
    seconds: float

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [result for result in self.results if result["outcome"] == OutcomeKind.FAILED.value]

    @property
    def saved(self) -> int:
        """How many of the requests have their result, from this run or an earlier one."""
        return self.found + len(self.results) - len(self.failed)

    @property
    def is_complete(self) -> bool:
        """Whether every request has ended."""
        return self.found + len(self.results) == self.total

    @property
    def progress(self) -> str:
        """`76 of 200 saved`."""
        return f"{self.saved} of {self.total} saved"

    @property
    def exit_status(self) -> int:
        """0, or 3 if pages failed for their HTTP status only, or else 1 if any failed."""
        codes = {result["errorCode"] for result in self.failed}
        if not codes:
            return 0
        return STATUS_FAILED if codes <= set(STATUS_CODES) else FAILED


class ShootReport:
    """Collects the results of a run and prints them."""

    def __init__(self, total: int, found: Sequence[dict[str, Any]], is_json: bool) -> None:
        self._is_json = is_json
        self._total = total
        self._found = len(found)
        self._results: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._failed = 0
        self._started_at = time.monotonic()
        for result in found if is_json else ():
            print_json(_fields({**result, "outcome": OutcomeKind.SKIPPED.value, "reason": ALREADY_SAVED}))
        self.progress = ProgressReport("capturing", total - self._found)

    def add(self, result: dict[str, Any]) -> None:
        """Note a result that was saved."""
        fields = _fields(result)
        with self._lock:
            self._results.append(fields)
            self._failed += result["outcome"] == OutcomeKind.FAILED.value
            self.progress.advance(f"{self._failed} failed" if self._failed else "")
            if self._is_json:
                print_json(fields)

    def tell(self, result: dict[str, Any]) -> None:
        """Print a result that is no result of the run's own."""
        if self._is_json:
            print_json(_fields(result))

    def summary(self) -> RunSummary:
        """The run so far."""
        with self._lock:
            return RunSummary([*self._results], self._found, self._total, time.monotonic() - self._started_at)


def print_failures(summary: RunSummary, policy: EgressPolicy) -> None:
    """Print each failure on stderr, and what to do about those that only need permission."""
    for result in summary.failed[:MAX_LISTED]:
        line = f"failed: {result['url']}: {result['errorCode']}: {result['errorMessage']}"
        advice = advise(result["url"], policy) if result["errorCode"] == BlockedAddress.code else ""
        print_note(f"{line}. To capture it, add {advice}" if advice else line)
    if len(summary.failed) > MAX_LISTED:
        codes = Counter(result["errorCode"] for result in summary.failed)
        listed = ", ".join(f"{count} {code}" for code, count in codes.most_common())
        print_note(f"... {len(summary.failed)} failed in all ({listed}); results.jsonl has each of them")


def print_summary(summary: RunSummary, out: object) -> None:
    """Print what was captured: each image if there are few, and the totals."""
    captured = [result for result in summary.results if result["outcome"] != OutcomeKind.FAILED.value]
    if len(captured) <= MAX_LISTED:
        _print_results(captured)
    click.echo(describe(summary, out))


def describe(summary: RunSummary, out: object) -> str:
    """Return the totals in a sentence."""
    counts = Counter(result["outcome"] for result in summary.results)
    parts = [f"{counts[kind.value]} {kind.value}" for kind in OutcomeKind if counts[kind.value]]
    if summary.found:
        parts.append(f"{summary.found} already in {out} (--again captures them again)")
    size = sum(result["bytes"] or 0 for result in summary.results if result["outcome"] == OutcomeKind.CAPTURED.value)
    if size:
        parts.append(f"{human_bytes(size)} in {human_seconds(summary.seconds)}")
    pages = "1 page" if summary.total == 1 else f"{summary.total} pages"
    return f"{pages}: {', '.join(parts)}"


def _fields(result: dict[str, Any]) -> dict[str, Any]:
    return {name: result.get(name) for name in RESULT_FIELDS}


def _print_results(results: Sequence[dict[str, Any]]) -> None:
    if not results:
        return
    # A terminal has no room for the URL as well: the name of the image comes from it.
    columns = RESULT_COLUMNS[:-1] if sys.stdout.isatty() else RESULT_COLUMNS
    rows = (
        (
            result["outcome"],
            result["reason"],
            f"{result['width']}x{result['height']}" if result["width"] else "",
            human_bytes(result["bytes"]),
            f"{result['durationMs']} ms",
            result["path"],
            result["url"],
        )
        for result in results
    )
    print_table(columns, (row[: len(columns)] for row in rows))
