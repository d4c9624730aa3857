"""`shoot`: capture pages in the embedded environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..console import json_option
from ..input.allow_hosts import allow_host_option
from ..input.options import render_options
from ..input.requests import input_options, read_requests
from ..local.run import RunSettings, shoot
from ..local.single_image import capture_one, is_single_image
from ..tabs import tabs_option


@click.command("shoot")
@click.argument("urls", nargs=-1, metavar="[URL]...")
@input_options
@click.option(
    "--out",
    metavar="DIR",
    default="out",
    show_default=True,
    help="Directory for images, results and gallery. With one URL also an image file (page.png), or - for stdout.",
)
@click.option("--again", is_flag=True, help="Capture also the pages that the directory has already.")
@allow_host_option
@render_options
@tabs_option
@json_option
def command(
    urls: tuple[str, ...],
    file: str | None,
    strict: bool,
    out: str,
    again: bool,
    allow_hosts: tuple[str, ...],
    options: dict[str, Any],
    tabs: int | str | None,
    as_json: bool,
) -> None:
    """Take screenshots on this machine, without an AWS account.

    A URL may be a bare host (example.com), and - reads URLs from standard input. The output directory gets the images,
    results.jsonl and a gallery page (index.html). Each result is written when its capture ends: after Ctrl-C or a
    crash, the same command continues where it was.

    \b
    Exit status: 0 all saved, 1 a page failed or a line was wrong, 2 wrong usage,
    3 pages failed, all for their HTTP status (--fail-on-status), 4 the run could
    not go on (disk full, no browser, directory in use), 130 Ctrl-C.

    \b
    Examples:
      stillframe shoot example.com https://www.iana.org --out screenshots
      stillframe shoot --file urls.txt --full-page --format webp
      stillframe shoot localhost:3000 --allow-host localhost --device iphone-15
      stillframe shoot example.com --out page.png
    """
    settings = RunSettings(allow_hosts, tabs, again)
    if is_single_image(out):
        sys.exit(capture_one(urls, file, options, out, settings, as_json))
    reading = read_requests(urls, file, options, strict=strict)
    refused = [each.to_result() for each in reading.refused]
    status = shoot(reading.requests, Path(out), settings, as_json, refused)
    sys.exit(status or (1 if reading.problems else 0))
