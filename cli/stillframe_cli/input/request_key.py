"""What makes two requests of a run the same: everything that was asked for, without generated ids."""

from __future__ import annotations

import hashlib
import json

from stillframe.request.capture_request import CaptureRequest


def request_key(request: CaptureRequest) -> str:
    """The SHA-256, in hex, of URL, options, and what else the request sets: id, tenant and metadata."""
    rest = {"id": request.request_id, "tenant": request.tenant, "metadata": request.metadata}
    named = {name: value for name, value in rest.items() if value}
    if not named:
        return request.payload_hash
    return hashlib.sha256(f"{request.payload_hash}{json.dumps(named, sort_keys=True)}".encode()).hexdigest()
