"""`diff`: what changed between two captures."""

from __future__ import annotations

from pathlib import Path

import click

from stillframe.clients import Clients
from stillframe.image.difference import compare
from stillframe.table.record import Status

from ..archive import Archive
from ..console import json_option, print_json
from ..resources import find_settings


@click.command("diff")
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write AFTER with what changed in red (PNG)."
)
@click.option(
    "--fail-over", type=click.FloatRange(0, 1), help="Exit status 1 when a larger share of the pixels changed."
)
@click.option("--stack", metavar="STACK", help="CloudFormation stack whose outputs name the resources.")
@json_option
def command(
    before: str, after: str, out: Path | None, fail_over: float | None, stack: str | None, as_json: bool
) -> None:
    """Compare two captures, each the id of a screenshot or an image file."""
    pictures = [_picture(each, stack) for each in (before, after)]
    try:
        difference = compare(pictures[0], pictures[1])
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if out is not None:
        out.write_bytes(difference.marked)
    if as_json:
        print_json(
            {
                "changed": not difference.is_none,
                "difference": round(difference.pixels, 6),
                "looks": round(difference.looks, 4),
                "box": difference.box,
                "path": str(out) if out else None,
            }
        )
    elif difference.is_none:
        click.echo("no difference")
    else:
        left, top, right, bottom = difference.box or (0, 0, 0, 0)
        where = f"between {left},{top} and {right},{bottom}"
        click.echo(f"{difference.pixels:.2%} of the pixels changed, {where}; {difference.looks:.0%} of its looks")
    if fail_over is not None and difference.pixels > fail_over:
        raise SystemExit(1)


def _picture(name: str, stack: str | None) -> bytes:
    path = Path(name)
    if path.is_file():
        return path.read_bytes()
    settings = find_settings(stack, {})
    archive = Archive(Clients.connect(), settings)
    record = archive.record(name)
    if record is None or record.status is not Status.SUCCESS:
        raise click.ClickException(f"{name} is neither a file nor the id of a screenshot with an image")
    return archive.image(record)
