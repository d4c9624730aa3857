"""`sign`: make a signed link that shows a screenshot of a page, for `<img src>`."""

from __future__ import annotations

KEY_VARIABLE = "STILLFRAME_LINK_KEY"
URL_VARIABLE = "STILLFRAME_API_URL"
