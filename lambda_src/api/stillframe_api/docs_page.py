"""The page at `/docs`: Swagger UI as Powertools ships it, with everything in the page itself."""

from __future__ import annotations

import functools
from pathlib import Path

from aws_lambda_powertools.event_handler.openapi import swagger_ui

# The page is its own origin's: it loads nothing, and its scripts speak to this API only.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


@functools.cache
def page_of(document: str) -> str:
    """The page that shows an OpenAPI document."""
    folder = Path(swagger_ui.__file__).parent
    script = (folder / "swagger-ui-bundle.min.js").read_text(encoding="utf-8")
    style = (folder / "swagger-ui.min.css").read_text(encoding="utf-8")
    # No text of the document may end the script that it is in.
    return swagger_ui.generate_swagger_html(document.replace("</", "<\\/"), script, style, "", None)
