"""The Lambda handler of digests, which a rule invokes again and again. The process is wired at the first invocation."""

from __future__ import annotations

import functools
import logging
from typing import Any

from aws_lambda_powertools import Logger

from stillframe.clients import Clients, connect_event_bus
from stillframe.settings import Settings

from .digester import Digester
from .wiring import wire_digester

logger = logging.getLogger("stillframe.notifier")

# To log what was not sent, before Lambda ends the process.
RESERVE_SECONDS = 10


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Tell of the days that have ended. Raises DigestsUnsent; the next invocation tries again."""
    sent = _digester().tick(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)
    logger.info("digests", extra={"sent": sent})
    return {"sent": sent}


@functools.cache
def _digester() -> Digester:
    settings = Settings.from_environment()
    Logger(service="stillframe", level=settings.log_level.upper(), utc=True, use_rfc3339=True)
    return wire_digester(settings, connect_event_bus(), Clients.connect())
