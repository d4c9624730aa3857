"""One run of `check`: capture the pages, compare them with the baseline, and say what was found."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from stillframe.egress.policy import EgressPolicy
from stillframe.image.element import from_json
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import ImageFormat, SavedForm

from ..input.request_key import request_key
from ..local.report import print_failures
from ..local.results import KEY, RESULTS_NAME, Result
from ..local.run import RunSettings, capture_into
from .baseline import Baseline
from .page_check import CheckStatus, PageCheck, PageImage, check_page
from .page_names import page_name


@dataclass(slots=True)
class CheckRun:
    """The results in the order of the pages. `is_complete` is false after Ctrl-C."""

    checks: list[PageCheck] = field(default_factory=list)
    is_complete: bool = True


def named_requests(requests: Sequence[CaptureRequest], common: Mapping[str, Any]) -> dict[str, CaptureRequest]:
    """The requests by the names of their images. Raises click.UsageError for what cannot be compared."""
    named: dict[str, CaptureRequest] = {}
    for request in requests:
        if request.render_options().format is ImageFormat.PDF:
            raise click.UsageError(f"{request.recorded_url}: a PDF cannot be compared; choose another format.")
        name = page_name(request, common)
        if name in named:
            raise click.UsageError(f"{request.recorded_url} and {named[name].recorded_url} have the same name, {name}.")
        named[name] = request
    return named


def check(named: Mapping[str, CaptureRequest], baseline: Baseline, settings: RunSettings) -> CheckRun:
    """Capture the pages and compare each with its baseline. Raises RunStopped."""
    run = CheckRun()
    prepared = {name: _with_elements(request) for name, request in named.items()}
    with tempfile.TemporaryDirectory(prefix="stillframe-") as scratch:
        folder = Path(scratch)
        summary = capture_into(folder, list(prepared.values()), settings, as_json=False)
        print_failures(summary, EgressPolicy.of(settings.allow_hosts))
        run.is_complete = summary.is_complete
        results = _results(folder)
        for name, request in prepared.items():
            result = results.get(request_key(request))
            if result is not None:
                run.checks.append(_check_one(name, request, result, folder, baseline))
    return run


def update(run: CheckRun, baseline: Baseline) -> int:
    """Make the pages as they are the baseline. Returns how many images were written: what is the same is left alone."""
    written = 0
    for found in run.checks:
        if found.after is None or found.status is CheckStatus.SAME:
            continue
        baseline.replace(found.name, found.after.extension, found.after.data)
        baseline.describe(found.name, found.url, found.after.ignored)
        written += 1
    if written:
        baseline.write_index()
    return written


def _with_elements(request: CaptureRequest) -> CaptureRequest:
    """The request, saving its elements as well: the report names changes by them."""
    saved = request.options.get("save") or []
    wanted = [*saved, *([] if SavedForm.ELEMENTS.value in saved else [SavedForm.ELEMENTS.value])]
    # Not a copy, which would keep what was computed from the options.
    fields = {name: getattr(request, name) for name in CaptureRequest.model_fields}
    return CaptureRequest(**{**fields, "options": {**request.options, "save": wanted}})


def _results(folder: Path) -> dict[str, Result]:
    lines = (folder / RESULTS_NAME).read_text(encoding="utf-8").splitlines()
    return {result[KEY]: result for result in map(json.loads, lines)}


def _check_one(name: str, request: CaptureRequest, result: Result, folder: Path, baseline: Baseline) -> PageCheck:
    url, seconds = request.recorded_url, (result.get("durationMs") or 0) / 1000
    if result.get("outcome") == OutcomeKind.FAILED.value or not result.get("file"):
        code, problem = result.get("errorCode"), result.get("errorMessage") or "the page has no image"
        return PageCheck(name, url, CheckStatus.FAILED, seconds, baseline.find(name), None, None, code, problem)
    file = folder / result["file"]
    elements = (result.get("extraFiles") or {}).get(SavedForm.ELEMENTS.value)
    page = PageImage(
        file.read_bytes(),
        file.suffix.removeprefix("."),
        result.get("ignoredBoxes"),
        from_json((folder / elements).read_bytes()) if elements else [],
        result.get("pageHeight") if result.get("heightCapped") else None,
    )
    return check_page(name, url, baseline.find(name), page, request.render_options().comparison, seconds)
