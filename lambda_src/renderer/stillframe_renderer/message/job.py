"""The work under a claim: render, store."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Protocol

from stillframe.clock import Deadline
from stillframe.cost import Cost
from stillframe.errors import CaptureError, PermanentError, TransientError, UnexpectedError
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.image.store import ImageStore
from stillframe.request.message import Delivery
from stillframe.request.options import PREVIOUS, RenderOptions
from stillframe.request.secret_store import SecretStore
from stillframe.settings import Settings
from stillframe.table.claim import Claim
from stillframe.table.record import Status

from .comparison import Comparer

logger = logging.getLogger(__name__)


class Renderer(Protocol):
    """Turns a page into an image before a deadline, or raises a CaptureError."""

    def render(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        """Render the page at `url`."""


@dataclass(frozen=True, slots=True)
class CaptureResult:
    """What the work came to: an artifact, or the error that is to be recorded."""

    artifact: StoredImage | None = None
    error: CaptureError | None = None
    adopted: bool = False
    render_ms: int | None = None
    cost: Cost | None = None

    def to_result(self, duration_ms: int) -> dict[str, Any]:
        """The attributes with which the record is completed, wire names."""
        result: dict[str, Any] = {"status": Status.SUCCESS.value, "durationMs": duration_ms}
        if self.artifact is not None:
            result |= self.artifact.to_wire()
        if self.cost is not None:
            result |= self.cost.to_wire()
        if self.error is not None:
            result |= {"status": Status.FAILED.value, "errorCode": self.error.code, "errorMessage": self.error.message}
        return result


class Work:
    """Renders and stores one delivery."""

    def __init__(
        self,
        renderer: Renderer,
        artifacts: ImageStore,
        secrets: SecretStore,
        comparer: Comparer,
        settings: Settings,
    ) -> None:
        self._renderer = renderer
        self._artifacts = artifacts
        self._secrets = secrets
        self._comparer = comparer
        self._settings = settings

    def do(self, delivery: Delivery, claim: Claim, deadline: Deadline) -> CaptureResult:
        """An error that is to be recorded is a product; one after which the claim is released is raised."""
        try:
            return self._produce(delivery, claim, deadline)
        except PermanentError as error:
            return CaptureResult(error=error)
        except TransientError as error:
            return self._last_or_raise(delivery, error)
        except Exception as error:
            logger.exception("unexpected error", extra={"id": delivery.id})
            return self._last_or_raise(delivery, UnexpectedError(f"{type(error).__name__}: {error}"))

    def _last_or_raise(self, delivery: Delivery, error: TransientError) -> CaptureResult:
        if delivery.message.is_last(self._settings.max_receive_count):
            return CaptureResult(error=error)
        raise error

    def _produce(self, delivery: Delivery, claim: Claim, deadline: Deadline) -> CaptureResult:
        options = delivery.request.render_options()
        product = self._adopt(delivery, claim, options) or self._render(delivery, claim, options, deadline)
        if options.compare_to == PREVIOUS and product.artifact is not None:
            expires_at = claim.claimed_at_ms // 1000 + self._settings.record_retention_seconds
            self._comparer.remember(delivery, claim, product.artifact, expires_at)
        return product

    def _adopt(self, delivery: Delivery, claim: Claim, options: RenderOptions) -> CaptureResult | None:
        """A stale holder may have stored the image and died before it could say so."""
        existing = self._artifacts.find(delivery.id, options.format) if claim.took_over else None
        return CaptureResult(artifact=existing, adopted=True) if existing is not None else None

    def _render(self, delivery: Delivery, claim: Claim, options: RenderOptions, deadline: Deadline) -> CaptureResult:
        url = delivery.request.url
        shot = self._renderer.render(url, self._secrets.resolve(options, url), deadline)
        if options.compare_to is not None:
            shot = self._comparer.compare(delivery, options.compare_to, shot, deadline)
        artifact, adopted = self._artifacts.put(delivery.id, claim.token, shot)
        return CaptureResult(artifact=artifact, adopted=adopted, render_ms=shot.render_ms)
