"""The job under a claim: render, compare, store."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Protocol

from stillframe.aws_times import timed
from stillframe.clock import Clock, Deadline
from stillframe.cost import Cost
from stillframe.errors import CaptureError, PermanentError, TransientError, UnexpectedError, WorkerFault
from stillframe.image.ownership import Owner
from stillframe.image.redaction import redacted, redacting_errors
from stillframe.image.render_result import RenderResult, StoredImage
from stillframe.image.store import ImageStore
from stillframe.request.message import Delivery
from stillframe.request.options import RenderOptions
from stillframe.request.secret_store import SecretStore
from stillframe.settings import Settings
from stillframe.table.attributes import ERROR_CODE, ERROR_MESSAGE, STATUS
from stillframe.table.claim import Claim
from stillframe.table.record import Status
from stillframe.worker_faults import worker_fault

from ..load.metering import Account, Meter
from .comparison import Comparer, Comparison

logger = logging.getLogger(__name__)


class Renderer(Protocol):
    """Renders a page before a deadline, or raises a CaptureError."""

    def render(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        """Render the page at `url`."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What every job of a worker uses."""

    renderer: Renderer
    images: ImageStore
    secrets: SecretStore
    comparer: Comparer
    meter: Meter
    clock: Clock
    settings: Settings


@dataclass(frozen=True, slots=True)
class Stored:
    """The image of a job. `render_ms` is None when it was adopted from an earlier attempt without rendering."""

    image: StoredImage
    is_adopted: bool
    render_ms: int | None


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended: with an image, or with the error to record. `cost` is that of its delivery so far."""

    end: Stored | CaptureError
    cost: Cost

    def to_wire(self, duration_ms: int) -> dict[str, Any]:
        """The attributes with which the record is completed, by wire name."""
        common = {"durationMs": duration_ms, **self.cost.to_wire()}
        if isinstance(self.end, CaptureError):
            error = {ERROR_CODE: self.end.code, ERROR_MESSAGE: self.end.message}
            return {STATUS: Status.FAILED.value, **common, **error}
        return {STATUS: Status.SUCCESS.value, **common, **self.end.image.to_wire()}


class Job:
    """Renders and stores the screenshot of one claimed delivery."""

    def __init__(self, tools: Tools, delivery: Delivery, claim: Claim, deadline: Deadline, account: Account) -> None:
        self._tools = tools
        self._delivery = delivery
        self._claim = claim
        self._deadline = deadline
        self._account = account
        # Set when the job has ended without raising.
        self.result: JobResult | None = None

    def run(self, *, identity: dict[str, str]) -> dict[str, Any]:
        """Do the job. Returns the attributes with which the record is completed, by wire name.

        An error that must be recorded becomes the result. An error after which the claim must be released is raised.
        `identity` is what Powertools identifies the delivery by; the job does not need it.
        """
        tools, delivery = self._tools, self._delivery
        started_ms = tools.clock.now_ms()
        end: Stored | CaptureError
        try:
            options = delivery.request.render_options()
            comparison = tools.comparer.begin(delivery, options)
            stored = self._adopt(options, comparison)
            if stored is None:
                rendered = self._render(options, comparison)
                with timed("put"):
                    image, is_adopted = tools.images.put(self._owner, rendered)
                if is_adopted:
                    stored = _adopted(image, comparison, rendered.render_ms)
                else:
                    stored = Stored(image, is_adopted, rendered.render_ms)
            end = stored
            if comparison is not None:
                expires_at = self._claim.claimed_at_ms // 1000 + tools.settings.record_retention_seconds
                self._claim.succession = comparison.succession(end.image, expires_at)
        except PermanentError as error:
            end = error
        except TransientError as error:
            end = self._last_or_raise(error)
        except Exception as error:
            if fault := worker_fault(error):
                raise fault from error
            logger.exception("unexpected error", extra={"id": delivery.id})
            end = self._last_or_raise(UnexpectedError(f"{type(error).__name__}: {error}"))
        self.result = JobResult(end, tools.meter.read(self._account))
        return self.result.to_wire(tools.clock.now_ms() - started_ms)

    @property
    def _owner(self) -> Owner:
        claim, delivery = self._claim, self._delivery
        return Owner(delivery.id, delivery.request.payload_hash, claim.token, claim.replaced_token)

    def _adopt(self, options: RenderOptions, comparison: Comparison | None) -> Stored | None:
        """The image of an earlier attempt, which may have ended after storing it and before completing the record."""
        if self._claim.attempts == 1:
            return None
        with timed("find"):
            image = self._tools.images.find(self._owner, options.format)
        return _adopted(image, comparison, None) if image is not None else None

    def _render(self, options: RenderOptions, comparison: Comparison | None) -> RenderResult:
        tools, url = self._tools, self._delivery.request.url
        resolved, secrets = tools.secrets.resolve(options, url, self._delivery.tenant)
        with redacting_errors(secrets):
            result = redacted(tools.renderer.render(url, resolved, self._deadline), secrets)
        return result if comparison is None else comparison.compare(result, self._deadline)

    def _last_or_raise(self, error: TransientError) -> TransientError:
        """The error, to be recorded, when no further delivery will come; otherwise raise it.

        A worker's fault says nothing about the screenshot, so it is never recorded as its failure.
        """
        if isinstance(error, WorkerFault):
            raise error
        if self._delivery.message.is_last(self._tools.settings.max_receive_count):
            return error
        raise error


def _adopted(image: StoredImage, comparison: Comparison | None, render_ms: int | None) -> Stored:
    adopted = comparison.adopt(image) if comparison is not None else image
    return Stored(adopted, is_adopted=True, render_ms=render_ms)
