"""One webhook message: signed, posted, noted, and done with, tried again later or given up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from stillframe import __version__
from stillframe.clock import Clock
from stillframe.errors import CaptureError, TransientError, WebhookGivenUp
from stillframe.queue import CaptureQueue
from stillframe.request.message import Message
from stillframe.webhooks.attempts import Attempt, AttemptLog, AttemptResult, host_of
from stillframe.webhooks.message import WebhookMessage
from stillframe.webhooks.signing import WebhookKeys

from .endpoint import Answer, Endpoint, NotPosted
from .pauses import Pauses

logger = logging.getLogger("stillframe.webhooks")

# "410 Gone: the endpoint should be disabled" (Standard Webhooks, "Delivery success and failure").
GONE = HTTPStatus.GONE


class WebhookSender:
    """Processes messages of the webhook queue. May be used from several threads."""

    def __init__(
        self,
        queue: CaptureQueue,
        endpoint: Endpoint,
        keys: Callable[[], WebhookKeys],
        log: AttemptLog,
        clock: Clock,
        pauses: Pauses | None = None,
    ) -> None:
        self._queue = queue
        self._endpoint = endpoint
        self._keys = keys
        self._log = log
        self._clock = clock
        self._pauses = pauses or Pauses()

    def process(self, message: Message) -> bool:
        """Try once. Returns whether the message is done with and may be deleted."""
        try:
            webhook = WebhookMessage.from_body(message.body)
            return self._try(webhook, message)
        except TransientError as error:
            # AWS did not do as asked. The visibility timeout brings the message back.
            logger.warning("webhook postponed", extra={"errorCode": error.code, "errorMessage": error.message})
            return False
        except CaptureError as error:
            return self._dead_letter(message, error)

    def _try(self, webhook: WebhookMessage, message: Message) -> bool:
        attempt, pause = self._attempt(webhook, message)
        # The receiver may have the event by now: it is told again, with the same id, if this or what follows fails.
        self._log.add(webhook, attempt)
        logger.info("webhook", extra=attempt.to_wire())
        if attempt.result is AttemptResult.DELIVERED:
            return True
        if pause is None:
            return self._dead_letter(message, WebhookGivenUp(f"{attempt.host}: {attempt.reason}"))
        self._queue.delay(message.receipt_handle, pause)
        return False

    def _attempt(self, webhook: WebhookMessage, message: Message) -> tuple[Attempt, int | None]:
        """What came of one attempt, and the pause until the next one, if there is to be one."""
        headers = self._keys().headers(webhook.event_id, webhook.content, webhook.tenant, datetime.now(UTC))
        headers |= {"content-type": "application/json", "user-agent": f"Stillframe-Webhooks/{__version__}"}
        began_ms, began = self._clock.now_ms(), time.monotonic()
        status, reason, asked, is_final = None, None, None, False
        try:
            answer = self._endpoint.post(webhook.url, headers, webhook.content.encode())
        except NotPosted as error:
            reason, is_final = error.reason, error.is_final
        else:
            status, asked, is_final = answer.status, answer.retry_after, answer.status == GONE
            reason = None if _is_success(answer) else f"HTTP status {answer.status}"
        took_ms = round((time.monotonic() - began) * 1000)
        age_seconds = (began_ms - message.sent_at_ms) / 1000
        pause = self._pauses.after(message.receive_count, age_seconds, asked) if reason and not is_final else None
        attempt = Attempt(
            event_id=webhook.event_id,
            event=webhook.kind,
            host=host_of(webhook.url),
            at=began_ms,
            ms=took_ms,
            result=_result(reason, pause),
            http_status=status,
            reason=reason,
            next_at=began_ms + pause * 1000 if pause is not None else None,
        )
        return attempt, pause

    def _dead_letter(self, message: Message, reason: CaptureError) -> bool:
        try:
            self._queue.dead_letter(message, reason)
        except TransientError:
            return False
        return True


def _is_success(answer: Answer) -> bool:
    """ "Any 2xx status code"; a redirect is none."""
    return 200 <= answer.status < 300


def _result(reason: str | None, pause: int | None) -> AttemptResult:
    if reason is None:
        return AttemptResult.DELIVERED
    return AttemptResult.FAILED if pause is not None else AttemptResult.GIVEN_UP
