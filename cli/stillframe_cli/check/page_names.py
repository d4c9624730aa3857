"""Names of images that are the same in every run, on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from stillframe.request.capture_request import CaptureRequest

from ..local.names import stem_of

DIGEST_CHARS = 8


def page_name(request: CaptureRequest, common: Mapping[str, Any]) -> str:
    """The name, without an extension, of a request's image: its id, or else what can be read of its URL, and a digest.

    Scheme and port do not count, so a site on this machine may be at any port. Of the options, those do that are not
    `common` to the whole run: a line of its own for a phone is a page of its own.
    """
    if request.request_id is not None:
        # Colons are not allowed in names of files everywhere.
        return request.request_id.replace(":", "_")
    parts = urlsplit(request.recorded_url)
    own = {name: value for name, value in request.options.items() if common.get(name) != value}
    identity = [parts.hostname or "", parts.path or "/", parts.query]
    if own:
        identity.append(json.dumps(own, sort_keys=True))
    digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:DIGEST_CHARS]
    return f"{stem_of(request.recorded_url)}-{digest}"
