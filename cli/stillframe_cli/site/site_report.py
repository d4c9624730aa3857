"""What `site` tells people: its progress, and a summary at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from stillframe.egress.policy import EgressPolicy
from stillframe.outcome import OutcomeKind

from ..console import ProgressReport, print_json, print_note
from ..gallery import GALLERY_NAME
from ..local.report import RESULT_FIELDS, RunSummary, describe, print_failures
from ..local.results import Result
from .left_out import DESCRIPTIONS, Reason
from .manifest import MANIFEST_NAME
from .page_results import DEPTH, FOUND_ON

FIELDS = (*RESULT_FIELDS, "finalUrl", DEPTH, FOUND_ON)


def explain_single_page(summary: RunSummary) -> None:
    """Say why the start page has led to no other one."""
    for result in summary.results:
        status = result["httpStatus"] or 0
        if status >= 400:
            print_note(f"The start page answered {status}, so that its links are not followed.")
        elif result["outcome"] != OutcomeKind.FAILED.value:
            print_note("The start page links to no other page that may be captured.")


class SiteReport:
    """Shows how far a run is, and prints each result of it as it is saved."""

    def __init__(self, is_json: bool) -> None:
        self._is_json = is_json
        self._started_at = time.monotonic()
        self._failed = 0
        self._saved: list[Result] = []
        self.progress = ProgressReport("capturing", 0)

    def add(self, result: Result, total: int) -> None:
        """Note a result that was saved; `total` is how many this start is to save, as far as is known by now."""
        self._saved.append(result)
        self._failed += result["outcome"] == OutcomeKind.FAILED.value
        # There may be more: what this page links to is not known yet.
        self.progress.set_total(max(total, len(self._saved) + 1))
        self.progress.set_done(len(self._saved), f"{self._failed} failed" if self._failed else "")
        if self._is_json:
            print_json({name: result.get(name) for name in FIELDS})

    def end(self) -> None:
        """Note that there are no more."""
        self.progress.set_total(len(self._saved))
        self.progress.set_done(len(self._saved), f"{self._failed} failed" if self._failed else "")

    def summary(self, results: Sequence[Result], total: int) -> RunSummary:
        """How the run has ended by now; `results` are all of it, of earlier starts too."""
        ids = {result["id"] for result in self._saved}
        found = [
            result for result in results if result["id"] not in ids and result["outcome"] != OutcomeKind.FAILED.value
        ]
        ended = [result for result in results if result["id"] in ids or result["outcome"] == OutcomeKind.FAILED.value]
        fields = [{name: result.get(name) for name in FIELDS} for result in ended]
        return RunSummary(fields, len(found), total, time.monotonic() - self._started_at)

    def print(self, summary: RunSummary, totals: Mapping[str, Any], out: Path, policy: EgressPolicy) -> None:
        """Print the failures and the totals."""
        print_failures(summary, policy)
        if self._is_json:
            print_json({**totals, "manifest": str(out / MANIFEST_NAME)})
            return
        click.echo(describe(summary, out))
        if totals["leftOut"]:
            parts = (f"{count:,} {DESCRIPTIONS[Reason(reason)]}" for reason, count in totals["leftOut"].items())
            click.echo(f"Left out: {', '.join(parts)}")
        click.echo(f"Manifest: {out / MANIFEST_NAME}")
        click.echo(f"Gallery: {out / GALLERY_NAME}")
