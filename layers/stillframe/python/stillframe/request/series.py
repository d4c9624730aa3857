"""A series: the captures of one page by a watch, which the ids of its periods have in common."""

from __future__ import annotations

# No tenant's name begins with it, so that no tenant can take the id of a period.
ID_PREFIX = "_watch"


def series_id(name: str, page: str) -> str:
    """What the ids of all periods of a page begin with. Neither the watch's name nor the page has a colon."""
    return f"{ID_PREFIX}:{name}:{page}"


def period_id(series: str, period: str) -> str:
    """The screenshot id of a period, a time such as `2026-01-31T12:00:00Z`."""
    return f"{series}:{period}"


def series_of(screenshot_id: str) -> str | None:
    """The series that a screenshot is of, None if no watch has made its id."""
    prefix, _, rest = screenshot_id.partition(":")
    name, _, rest = rest.partition(":")
    page, has_period, _ = rest.partition(":")
    return series_id(name, page) if prefix == ID_PREFIX and has_period else None
