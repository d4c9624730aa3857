"""`shoot`: the main job on the embedded default."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from stillframe.request.capture_request import CaptureRequest

from ..console import human_bytes, json_option, note, print_json, print_table
from ..gallery import GALLERY_NAME
from ..producer import parse_options, read_requests
from ..session import Session, embedded
from ..tabs import tabs_option


@click.command("shoot")
@click.argument("urls", nargs=-1, metavar="URL...")
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="A URL or a JSON request a line; - is stdin.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out"), show_default=True)
@click.option("--options", metavar="JSON", help='Render options, for example \'{"fullPage": true, "format": "webp"}\'.')
@click.option(
    "--allow-host", "allow_hosts", multiple=True, metavar="HOST[:PORT]", help="Allow a host that is not public."
)
@tabs_option
@json_option
def command(
    urls: tuple[str, ...],
    file: IO[str] | None,
    out: Path,
    options: str | None,
    allow_hosts: tuple[str, ...],
    tabs: int | str | None,
    as_json: bool,
) -> None:
    """Capture pages on this machine: queue, table and bucket in process, the real handler, no account.

    Writes the images, results.jsonl and a gallery page (index.html) to the output directory.
    """
    requests = read_requests(urls, file, parse_options(options))
    sys.exit(run_shoot(requests, out, allow_hosts, as_json, tabs))


def run_shoot(
    requests: Sequence[CaptureRequest],
    out: Path,
    allow_hosts: Sequence[str],
    as_json: bool,
    tabs: int | str | None = None,
) -> int:
    """Capture, print, and return the exit status: 1 when a capture failed."""
    overrides = {} if tabs is None else {"STILLFRAME_TABS": str(tabs)}
    if allow_hosts:
        overrides["STILLFRAME_ALLOW_HOSTS"] = ",".join(allow_hosts)
    results: list[dict[str, Any]] = []
    with embedded(**overrides) as environment:
        for result in Session(environment, out).run(requests):
            results.append(result)
            if as_json:
                print_json(result)
    if not as_json:
        _print_results(results)
        print(f"\nGallery: {out / GALLERY_NAME}")
    failed = [result for result in results if result["outcome"] == "failed"]
    for result in failed:
        note(f"failed: {result['url']}: {result['errorCode']}: {result['errorMessage']}")
    return 1 if failed else 0


def _print_results(results: Sequence[dict[str, Any]]) -> None:
    print_table(
        ("OUTCOME", "REASON", "SIZE", "BYTES", "TIME", "PATH", "URL"),
        (
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
        ),
    )
