"""Signed links under `/v1/i/`: whoever has one sees its image, and can cause one capture in each window of time."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from stillframe.archive import Archive
from stillframe.clock import Clock
from stillframe.errors import CaptureError
from stillframe.intake import Intake
from stillframe.link_keys import LinkKeys
from stillframe.links import LINK_SECONDS, Links
from stillframe.signed_link import MAX_PAYLOAD_CHARS, verified
from stillframe.table.record import Record, Status
from stillframe.tenants.namespace import Namespace

from .models import Submitted, location_of
from .problems import json_response, see_other

LINK_PREFIX = "/v1/i/"
LinkPart = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9_-]+$",
        max_length=MAX_PAYLOAD_CHARS,
        description="a part of a signed link, as `stillframe sign` writes it",
    ),
]
# A cached answer leads to an object by a link that must still be valid when it is followed.
MARGIN_SECONDS = 60
# A browser that asks again while the capture runs causes no second message.
PATIENCE_MS = 60_000
RETRY_AFTER_SECONDS = "5"


def is_link(event: Mapping[str, Any]) -> bool:
    """Whether a request is for a signed link, which the same path decides that is routed."""
    return str(event.get("rawPath", "")).startswith(LINK_PREFIX)


class SignedLinks:
    """Answers signed links. Nothing but the signature is asked for."""

    def __init__(self, keys: LinkKeys, intake: Intake, archive: Archive, links: Links, clock: Clock) -> None:
        self._keys = keys
        self._intake = intake
        self._archive = archive
        self._links = links
        self._clock = clock

    def answer(self, payload: str, signature: str) -> Response[str]:
        """303 to the image, or 202 until it is there.

        Raises LinkRefused if the signature is wrong or the link has expired, NotCaptured if the capture has failed,
        and the errors of an invalid request.
        """
        link = verified(payload, signature, self._keys, self._clock.now_ms())
        request = link.to_request()
        namespace = Namespace(link.tenant) if link.tenant is not None else None
        if namespace is not None:
            request = namespace.admit(request)
        (accepted,) = self._intake.accept([request], namespace, PATIENCE_MS)
        if isinstance(accepted, CaptureError):
            raise accepted
        until_ms = min(accepted.fresh_until_ms or 0, link.expires * 1000)
        if accepted.status in (Status.SUCCESS, Status.FAILED):
            return self.see(self._archive.require(accepted.request.id), until_ms)
        body = Submitted.of(accepted).model_copy(update={"fresh_until": until_ms})
        headers = {"Location": location_of(accepted.request.id), "Retry-After": RETRY_AFTER_SECONDS}
        return json_response(
            HTTPStatus.ACCEPTED, body.model_dump(mode="json", by_alias=True, exclude_none=True), headers
        )

    def see(self, record: Record, until_ms: int) -> Response[str]:
        """303 to the image of a final record, to be cached until then, in milliseconds since the epoch.

        Raises NotCaptured if there is no image.
        """
        fresh = (until_ms - self._clock.now_ms()) // 1000
        seconds = max(0, min(fresh, LINK_SECONDS - MARGIN_SECONDS))
        return see_other(self._links.image(record), f"public, max-age={seconds}")
