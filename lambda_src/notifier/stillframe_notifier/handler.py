"""The Lambda handler of the notifier. The process is wired at the first invocation."""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger

from stillframe.clients import Clients, connect_event_bus
from stillframe.settings import Settings

from .notifier import Answer, Notifier
from .wiring import wire_notifier


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Send the events of a batch of the table's stream."""
    return _notifier().handle(event)


@functools.cache
def _notifier() -> Notifier:
    settings = Settings.from_environment()
    Logger(service="stillframe", level=settings.log_level.upper(), utc=True, use_rfc3339=True)
    return wire_notifier(settings, connect_event_bus(), Clients.connect().sqs)
