"""`demo`: the main job on a bundled site, or on a page of the user's, every message sent twice."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from ..console import json_option, note
from ..producer import read_requests
from ..site_server import DEMO_PAGES, DEMO_SITE, serving
from .shoot import run_shoot


@click.command("demo")
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out/demo"), show_default=True)
@json_option
def command(urls: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Show the main job: queue in; images, records and a gallery page out.

    Every message is sent twice, so that the table shows each page captured once and its duplicate skipped.
    Without a URL, four bundled pages are served on this machine and captured.
    """
    with contextlib.ExitStack() as stack:
        allowed: list[str] = []
        if not urls:
            host = stack.enter_context(serving(DEMO_SITE))
            allowed = [host]
            urls = tuple(f"http://{host}/{page}" for page in DEMO_PAGES)
            note(f"the bundled site is served on http://{host}/")
        requests = read_requests(urls, None, {"fullPage": True}, once=True)
        twice = [request for request in requests for _ in range(2)]
        status = run_shoot(twice, out, allowed, as_json)
    if any(urlsplit(url).hostname in ("localhost", "127.0.0.1") for url in urls) and status and not allowed:
        note("a page on this machine needs: stillframe shoot --allow-host HOST:PORT URL")
    sys.exit(status)
