"""The option that says how many pages are open at once."""

from __future__ import annotations

import click

AUTO = "auto"
MOST = 64


def _number_or_auto(_context: click.Context, _option: click.Parameter, value: str | None) -> int | str | None:
    if value is None or value == AUTO:
        return value
    if value.isdigit() and 1 <= int(value) <= MOST:
        return int(value)
    raise click.BadParameter(f"{value!r} is neither a number from 1 to {MOST} nor {AUTO}")


tabs_option = click.option(
    "--tabs",
    metavar="N|auto",
    callback=_number_or_auto,
    help="Pages open at once, or auto: by measurement.  [default: STILLFRAME_TABS, or auto]",
)
