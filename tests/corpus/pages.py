"""The corpus: pages of every kind."""

from __future__ import annotations

from .late import LATE
from .page import STYLE, Page
from .still import STILL
from .tall import TALL

PAGES: dict[str, Page] = {**STILL, **TALL, **LATE}

__all__ = ["PAGES", "STYLE", "Page"]
