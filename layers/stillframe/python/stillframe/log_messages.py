"""Log messages that saved queries, alarms and tests match. Every other message may be reworded freely."""

from __future__ import annotations

# The canonical line of a delivery.
CAPTURE = "capture"
STALE_CLAIM = "processing appears stale, will retry"
BROWSER_STARTED = "browser started"
NO_ZYGOTE = "renderers cannot be forked from a zygote here, and are started from scratch"
BROWSER_REPLACED = "the browser is replaced"
BROWSER_MEMORY = "the browser uses too much memory"
PAGE_KEPT_TOO_MUCH = "a page stored too much"
WORKER_UNHEALTHY = "the worker is unhealthy and receives nothing"
WORKER_RECOVERED = "the worker is healthy again"
