"""`shoot URL --out page.png` and `--out -`: one image, and nothing beside it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from stillframe.egress.policy import EgressPolicy

from ..console import print_json, print_note
from ..files import STDOUT, OutputPath, write_file
from ..input.requests import read_requests
from .interruption import EXIT_STATUS
from .report import print_failures
from .run import RunSettings, capture_into

FORMATS = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
    ".pdf": "pdf",
}


def is_single_image(out: str) -> bool:
    """Whether `--out` names standard output or an image file, and not a directory."""
    return out == STDOUT or (Path(out).suffix.lower() in FORMATS and not Path(out).is_dir())


def capture_one(
    urls: tuple[str, ...], file: str | None, options: dict[str, Any], out: str, settings: RunSettings, as_json: bool
) -> int:
    """Capture the only URL into a file whose suffix chooses the format. Returns the exit status.

    Raises click.UsageError when there are several URLs, or when the suffix and the format differ.
    """
    if as_json and out == STDOUT:
        raise click.UsageError("--json and --out - would both write to standard output; choose one of them.")
    path = OutputPath(takes_stdout=True)(out, None, None)
    chosen = FORMATS.get(Path(out).suffix.lower())
    if chosen is not None and options.setdefault("format", chosen) != chosen:
        raise click.UsageError(f"--out {out} and the format {options['format']} contradict each other.")
    requests = read_requests(urls, file, options, strict=True).requests
    if len(requests) > 1:
        raise click.UsageError(f"--out {out} is one image, but there are {len(requests)} pages: name a directory.")
    with tempfile.TemporaryDirectory(prefix="stillframe-") as scratch:
        summary = capture_into(Path(scratch), requests, settings, as_json=False)
        print_failures(summary, EgressPolicy.of(settings.allow_hosts))
        if not summary.is_complete:
            return EXIT_STATUS
        (result,) = summary.results
        if result["path"]:
            write_file(path, Path(result["path"]).read_bytes())
            result |= {"path": out}
            print_note(f"{result['width']}x{result['height']}, {result['bytes']} bytes: {out}")
        if as_json:
            print_json(result)
    return summary.exit_status
