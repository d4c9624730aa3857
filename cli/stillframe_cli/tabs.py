"""The `--tabs` option: how many pages a worker captures at the same time."""

from __future__ import annotations

import click

AUTO = "auto"
MAX_TABS = 64


def _parse_tabs(_context: click.Context, _option: click.Parameter, value: str | None) -> int | str | None:
    if value is None or value == AUTO:
        return value
    if value.isdigit() and 1 <= int(value) <= MAX_TABS:
        return int(value)
    raise click.BadParameter(f"{value!r} is neither a number from 1 to {MAX_TABS} nor {AUTO!r}")


tabs_option = click.option(
    "--tabs",
    metavar="N|auto",
    callback=_parse_tabs,
    help="Pages to capture at the same time, or auto to let the worker measure what it can bear.  "
    "[default: STILLFRAME_TABS, or auto]",
)
