"""`site`: capture a whole site, each page once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from stillframe.clients import Clients
from stillframe.egress.own_ports import own_ports
from stillframe.egress.policy import EgressPolicy

from ..console import json_option
from ..input.allow_hosts import allow_host_option
from ..input.options import render_options
from ..input.requests import read_requests
from ..input.text import STDIN
from ..local.run import RunSettings
from ..resources import deployment_options, find_settings, is_selected
from ..site.frontier import Limits
from ..site.page_url import authority_of, normalize
from ..site.run import SiteOptions, capture_site, in_deployment, on_this_machine, with_allowed
from ..tabs import tabs_option

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _parse_hosts(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_parse_host, values))


def _parse_host(text: str) -> str:
    try:
        return authority_of(normalize(text if "://" in text else f"https://{text}"))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is neither a host nor host:port: {error}") from error


def _parse_name(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not NAME.fullmatch(value):
        raise click.BadParameter("a name has 1 to 64 of A-Z a-z 0-9 . _ -, and begins with a letter or digit")
    return value


@click.command("site")
@click.argument("url")
@click.option(
    "--depth",
    type=click.IntRange(0, 100),
    metavar="N",
    default=2,
    show_default=True,
    help="Follow links this far from the start page.",
)
@click.option(
    "--max",
    "max_pages",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=500,
    show_default=True,
    help="Capture at most this many pages.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    default=Path("out"),
    show_default=True,
    help="Directory for images, manifest and gallery. A run that has ended early goes on there.",
)
@click.option("--again", is_flag=True, help="Begin anew in the directory, with new screenshot ids.")
@click.option("--retry-failed", is_flag=True, help="Capture the pages of the run that failed once more.")
@click.option("--name", callback=_parse_name, help="Name of the run, which its screenshot ids begin with.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="HOST[:PORT]",
    callback=_parse_hosts,
    help="Another host that belongs to the site. May be repeated.",
)
@click.option(
    "--include",
    multiple=True,
    metavar="PATTERN",
    help="Capture only pages whose path and query match, such as '/docs/*', and the start page. May be repeated.",
)
@click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="Leave out pages whose path and query match. May be repeated."
)
@click.option(
    "--ignore-query",
    "ignored_queries",
    multiple=True,
    metavar="NAME",
    help="Remove this query parameter from URLs, such as 'utm_*'. May be repeated.",
)
@click.option(
    "--max-queries",
    type=click.IntRange(0, 100_000),
    metavar="N",
    default=100,
    show_default=True,
    help="Capture a path with at most this many different queries.",
)
@click.option(
    "--per-host",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=4,
    show_default=True,
    help="Have at most this many pages of a host captured at once.",
)
@click.option("--no-sitemap", is_flag=True, help="Read no sitemaps; only follow links.")
@click.option("--ignore-robots", is_flag=True, help="Ignore robots.txt and nofollow, for a site of your own.")
@allow_host_option
@render_options
@tabs_option
@deployment_options
@json_option
def command(
    url: str,
    depth: int,
    max_pages: int,
    out: Path,
    again: bool,
    retry_failed: bool,
    name: str | None,
    hosts: tuple[str, ...],
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    ignored_queries: tuple[str, ...],
    max_queries: int,
    per_host: int,
    no_sitemap: bool,
    ignore_robots: bool,
    allow_hosts: tuple[str, ...],
    options: dict[str, Any],
    tabs: int | str | None,
    stack: str | None,
    from_options: dict[str, str | None],
    as_json: bool,
) -> None:
    """Capture a whole site, each page once.

    Pages are found by the links of captured pages, after their scripts have run, and in the site's sitemaps.
    robots.txt is respected. The directory gets the images, a manifest (site.json) and a gallery (index.html). After
    Ctrl-C, a crash or kill -9, the same command continues where it was.

    Without a deployment (--stack, or the variables of `stillframe dev`), the pages are captured on this machine.

    \b
    Exit status: 0 all captured, 1 a page failed, 2 wrong usage, 3 pages failed,
    all for their HTTP status (--fail-on-status), 4 the run could not go on,
    130 Ctrl-C.

    \b
    Examples:
      stillframe site example.com --depth 2 --max 500
      stillframe site localhost:3000 --allow-host localhost --ignore-robots
      stillframe site example.com --include '/docs/*' --stack Stillframe-prod
    """
    if url == STDIN or url.startswith(("{", "[")):
        raise click.UsageError("Give the URL of the site's start page.")
    if options.get("html"):
        raise click.UsageError("The option html replaces a page, and a site has several.")
    (start,) = read_requests((url,), None, options).requests
    site = SiteOptions(
        Limits(depth, max_pages, max_queries),
        hosts,
        include,
        exclude,
        ignored_queries,
        not no_sitemap,
        ignore_robots,
        per_host,
        name,
        again,
        retry_failed,
    )
    if is_selected(stack, from_options):
        if tabs is not None:
            raise click.UsageError("--tabs is for captures on this machine; a deployment has its own setting.")
        settings = find_settings(stack, from_options)
        place, policy = in_deployment(settings, Clients.connect()), with_allowed(settings.egress_policy, allow_hosts)
    else:
        place = on_this_machine(RunSettings(allow_hosts, tabs))
        policy = EgressPolicy.of(allow_hosts, own_ports=own_ports())
    raise SystemExit(capture_site(start, site, out, place, policy, as_json))
