"""`shoot`: capture pages in the embedded environment."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from stillframe.request.capture_request import CaptureRequest

from ..console import human_bytes, json_option, print_json, print_note, print_table
from ..gallery import GALLERY_NAME
from ..producer import file_option, parse_options, read_requests
from ..session import ShootSession, embedded_environment
from ..tabs import tabs_option


@click.command("shoot")
@click.argument("urls", nargs=-1, metavar="[URL]...")
@file_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Directory to write the images, the results and the gallery to.",
)
@click.option(
    "--options",
    metavar="JSON",
    help='Render options for all URLs, for example \'{"fullPage": true, "format": "webp"}\'.',
)
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Allow a host that is not public, for example localhost:3000. May be repeated.",
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
    """Take screenshots on this machine, without an AWS account.

    The queue, the table and the bucket run in an emulator; the code that captures is the code that runs in Lambda. The
    output directory gets the images, results.jsonl and a gallery page (index.html).

    \b
    Example:
      stillframe shoot https://example.com https://www.iana.org --out screenshots
    """
    requests = read_requests(urls, file, parse_options(options))
    sys.exit(shoot(requests, out, allow_hosts, as_json, tabs))


def shoot(
    requests: Sequence[CaptureRequest],
    out: Path,
    allow_hosts: Sequence[str],
    as_json: bool,
    tabs: int | str | None = None,
) -> int:
    """Capture the requests and print the results. Returns the exit status: 1 when a capture failed.

    Raises OSError when the output directory cannot be created.
    """
    overrides = {} if tabs is None else {"STILLFRAME_TABS": str(tabs)}
    if allow_hosts:
        overrides["STILLFRAME_ALLOW_HOSTS"] = ",".join(allow_hosts)
    # Fail before the environment starts, not after the captures.
    out.mkdir(parents=True, exist_ok=True)
    results: list[dict[str, Any]] = []
    with embedded_environment(**overrides) as environment:
        for result in ShootSession(environment, out).capture(requests):
            results.append(result)
            if as_json:
                print_json(result)
    if not as_json:
        _print_results(results)
        print(f"\nGallery: {out / GALLERY_NAME}")
    failed = [result for result in results if result["outcome"] == "failed"]
    for result in failed:
        print_note(f"failed: {result['url']}: {result['errorCode']}: {result['errorMessage']}")
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
