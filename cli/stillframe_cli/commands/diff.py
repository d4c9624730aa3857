"""`diff`: show what changed between two images."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import click
from PIL import Image

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.comparison.difference import compare
from stillframe.comparison.pixels import Box
from stillframe.request.options import ComparisonRules
from stillframe.table.record import Status

from ..console import json_option, print_json
from ..difference_report import MAX_REGIONS, describe, details, report
from ..files import OutputPath, write_file
from ..input.comparison import comparison_options
from ..input.finite import FiniteRange
from ..resources import find_settings, is_selected, stack_option


@click.command("diff")
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@click.option(
    "--out",
    type=OutputPath(),
    metavar="FILE",
    help="Write before, after and what changed to this file: .html (a page with a handle between them) or .png.",
)
@click.option(
    "--fail-over",
    type=FiniteRange(0, 1),
    metavar="SHARE",
    help="Exit with status 1 when more than this share of the pixels changed.",
)
@comparison_options
@stack_option
@json_option
def command(
    before: str,
    after: str,
    out: Path | None,
    fail_over: float | None,
    comparison: dict[str, Any],
    stack: str | None,
    as_json: bool,
) -> None:
    """Show what changed between two images.

    BEFORE and AFTER are image files or screenshot ids. Elements that the request of a screenshot ignores or masks are
    left out.

    \b
    Example:
      stillframe diff monday.png tuesday.png --out changed.html
    """
    (first, ignored), (second, ignored_after) = _read_image(before, stack), _read_image(after, stack)
    rules = ComparisonRules.model_validate(comparison)
    try:
        difference = compare(first, second, rules=rules, ignored_before=ignored, ignored_after=ignored_after)
    except ValueError as error:
        raise click.ClickException(f"{before} and {after} cannot be compared: {error}") from error
    if out is not None:
        write_file(out, report(out, first, second, difference))
    if as_json:
        print_json(
            {
                "changed": not difference.is_empty,
                "difference": round(difference.pixels, 6),
                "looks": round(difference.perceived, 4),
                "box": difference.box,
                "regions": [
                    {"kind": region.kind.value, "box": region.box, "pixels": region.pixels}
                    for region in difference.regions[:MAX_REGIONS]
                ],
                "moved": [{"top": move.top, "bottom": move.bottom, "by": move.by} for move in difference.moved],
                "path": str(out) if out else None,
            }
        )
    else:
        click.echo(describe(difference))
        for line in details(difference):
            click.echo(line)
    if fail_over is not None and difference.pixels > fail_over:
        raise SystemExit(1)


def _read_image(name: str, stack: str | None) -> tuple[bytes, list[Box]]:
    """An image, and the boxes in it that its request ignores."""
    path = Path(name)
    if "://" in name:
        raise click.UsageError(f"{name} is a URL. Capture the pages first: stillframe shoot {name} --out page.png")
    if path.is_dir():
        raise click.UsageError(f"{name} is a directory; name an image in it.")
    if path.is_file():
        return _check_image(name, path.read_bytes()), []
    if not is_selected(stack):
        raise click.ClickException(
            f"There is no file {name}, and no deployment is selected in which it could be the id of a screenshot."
        )
    archive = Archive(Clients.connect(), find_settings(stack, {}))
    record = archive.record(name)
    if record is None or record.status is not Status.SUCCESS:
        raise click.ClickException(f"{name} is neither a file nor the id of a screenshot with an image.")
    return archive.image(record), [(edges[0], edges[1], edges[2], edges[3]) for edges in record.ignored_boxes or ()]


def _check_image(name: str, data: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.verify()
    except (OSError, SyntaxError) as error:
        raise click.ClickException(f"{name} is not an image that can be compared.") from error
    return data
