"""The report of a check: one page that needs no other file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..difference_report import data_url
from ..templates import environment
from .page_check import CheckStatus, PageCheck

# What needs a look comes first.
ORDER = (CheckStatus.FAILED, CheckStatus.CHANGED, CheckStatus.NEW, CheckStatus.SAME)


def check_report(checks: Sequence[PageCheck], unused: Sequence[str]) -> bytes:
    """The page. It has the images of everything but what is the same; `unused` are images of pages not in the list."""
    ordered = sorted(checks, key=lambda check: ORDER.index(check.status))
    counts = Counter(check.status.value for check in checks)
    page = environment().get_template("check.html.j2")
    text = page.render(
        checks=[_card(check) for check in ordered],
        counts=[(status.value, counts[status.value]) for status in ORDER if counts[status.value]],
        total=len(checks),
        unused=unused,
    )
    return text.encode(errors="replace")


def _card(check: PageCheck) -> dict[str, Any]:
    images = {}
    if check.status is not CheckStatus.SAME:
        images = {
            "before": data_url(check.before.data) if check.before is not None else None,
            "after": data_url(check.after.data) if check.after is not None else None,
            "changed": data_url(check.difference.marked) if check.difference is not None else None,
        }
    return {
        "name": check.name,
        "url": check.url,
        "status": check.status.value,
        "summary": check.summary,
        "details": check.details,
        "images": {name: image for name, image in images.items() if image is not None},
    }
