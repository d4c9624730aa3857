"""`demo`: capture a bundled site, or pages of the user's choice, and send every message twice."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import click

from stillframe_renderer.chromium.executable import find_chromium, security_warning, version_of

from ..console import json_option, print_note
from ..input.allow_hosts import allow_host_option
from ..input.requests import read_requests
from ..local.run import RunSettings, shoot
from ..site_server import DEMO_PAGES, DEMO_SITE, serve_directory


@click.command("demo")
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default=Path("out/demo"),
    show_default=True,
    help="Directory to write the images, the results and the gallery to.",
)
@allow_host_option
@json_option
def command(urls: tuple[str, ...], out: Path, allow_hosts: tuple[str, ...], as_json: bool) -> None:
    """Capture a bundled site to show how Stillframe works.

    Every request is sent twice: the table shows that each page is captured once and its duplicate is skipped. Without a
    URL, the command serves four bundled pages on this machine and captures those.

    \b
    Examples:
      stillframe demo
      stillframe demo example.com
    """
    if warning := security_warning(version_of(find_chromium(os.environ.get("STILLFRAME_CHROMIUM", "")))):
        print_note(f"Warning: {warning}")
    with contextlib.ExitStack() as stack:
        allowed: list[str] = []
        if not urls:
            host = stack.enter_context(serve_directory(DEMO_SITE))
            allowed = [host]
            urls = tuple(f"http://{host}/{page}" for page in DEMO_PAGES)
            print_note(f"Serving the bundled site on http://{host}/")
        requests = read_requests(urls, None, {"fullPage": True}).requests
        # With its own hash as its id, as `send --once` does, a request that is sent again is the same screenshot.
        twice = [each.model_copy(update={"request_id": each.id}) for each in requests for _ in range(2)]
        status = shoot(twice, out, RunSettings([*allow_hosts, *allowed], fresh=True), as_json)
    sys.exit(status)
