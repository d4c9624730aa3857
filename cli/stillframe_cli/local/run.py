"""One run of `shoot` from the requests to the gallery, however it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stillframe.egress.policy import EgressPolicy
from stillframe.request.capture_request import CaptureRequest

from ..console import print_note
from ..gallery import GALLERY_NAME, write_gallery
from ..session import ShootSession, embedded_environment
from .folder import OutputFolder, RunStopped
from .interruption import EXIT_STATUS, Interruption
from .plan import CapturePlan, plan_captures
from .report import RunSummary, ShootReport, print_failures, print_summary
from .results import Result, SavedResults, refused_key


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How to capture: hosts that are allowed though not public, tabs, and what to do with what is there already.

    `again` captures once more what the directory has, `fresh` begins with an empty one.
    """

    allow_hosts: Sequence[str] = ()
    tabs: int | str | None = None
    again: bool = False
    fresh: bool = False

    def to_variables(self) -> dict[str, str]:
        """The environment variables that these settings override."""
        variables = {} if self.tabs is None else {"STILLFRAME_TABS": str(self.tabs)}
        if self.allow_hosts:
            variables["STILLFRAME_ALLOW_HOSTS"] = ",".join(self.allow_hosts)
        return variables


def shoot(
    requests: Sequence[CaptureRequest],
    out: Path,
    settings: RunSettings,
    as_json: bool,
    refused: Sequence[Result] = (),
) -> int:
    """Capture the requests into a directory and print how they ended. Returns the exit status.

    `refused` are the results of what was given and is no request. Raises RunStopped when this machine cannot go on;
    what was captured before is saved.
    """
    summary = capture_into(out, requests, settings, as_json, refused)
    print_failures(summary, EgressPolicy.of(settings.allow_hosts))
    if not as_json and (summary.results or summary.found):
        print_summary(summary, out)
        print(f"Gallery: {out / GALLERY_NAME}")
    if summary.is_complete:
        return summary.exit_status
    print_note(f"{summary.progress}; run it again to continue")
    return EXIT_STATUS


def capture_into(
    out: Path,
    requests: Sequence[CaptureRequest],
    settings: RunSettings,
    as_json: bool,
    refused: Sequence[Result] = (),
) -> RunSummary:
    """Capture what the directory does not have yet, until all is saved or Ctrl-C. Raises RunStopped."""
    with Interruption() as interruption, OutputFolder.open(out) as folder:
        results = SavedResults(folder)
        if settings.fresh:
            results.forget()
        plan = plan_captures(requests, folder, results, settings.again)
        # From now on, the files here are this command's own.
        results.rewrite(())
        report = ShootReport(plan.total, plan.saved, as_json)
        for result in refused:
            results.add(refused_key(result), result)
            report.tell(result)
        try:
            if plan.captures:
                with embedded_environment(**settings.to_variables()) as environment, report.progress:
                    ShootSession(environment, folder, results).capture(plan, interruption, report.add)
        except BaseException:
            if report.summary().results:
                print_note(f"{report.summary().progress}; run it again to continue")
                with contextlib.suppress(RunStopped):
                    _finish(folder, results, plan)
            raise
        _finish(folder, results, plan)
    return report.summary()


def _finish(folder: OutputFolder, results: SavedResults, plan: CapturePlan) -> None:
    """Put the results into the order of the requests, and write the gallery."""
    results.rewrite(plan.keys)
    everything = results.all()
    write_gallery(folder.path, everything, f"Stillframe: {len(everything)} messages")
