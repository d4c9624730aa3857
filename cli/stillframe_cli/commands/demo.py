"""`demo`: capture a bundled site, or pages of the user's choice, and send every message twice."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from stillframe_renderer.chromium.executable import find_chromium, security_warning, version_of

from ..console import json_option, print_note
from ..producer import read_requests
from ..site_server import DEMO_PAGES, DEMO_SITE, serve_directory
from .shoot import shoot


@click.command("demo")
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out/demo"),
    show_default=True,
    help="Directory to write the images, the results and the gallery to.",
)
@json_option
def command(urls: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Capture a bundled site to show how Stillframe works.

    Every request is sent twice: the table shows that each page is captured once and its duplicate is skipped. Without a
    URL, the command serves four bundled pages on this machine and captures those.
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
        requests = read_requests(urls, None, {"fullPage": True}, once=True)
        twice = [request for request in requests for _ in range(2)]
        status = shoot(twice, out, allowed, as_json)
    if any(urlsplit(url).hostname in ("localhost", "127.0.0.1") for url in urls) and status and not allowed:
        print_note("To capture a page on this machine, use: stillframe shoot --allow-host HOST:PORT URL")
    sys.exit(status)
