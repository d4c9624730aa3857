"""The Lambda handler of the API. The process is wired at the first invocation."""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger

from stillframe.clients import Clients, connect_presigner, connect_secrets
from stillframe.link_keys import NO_KEYS, SecretLinkKeys
from stillframe.settings import Settings

from .api import Api
from .services import Services


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one event of API Gateway."""
    return _api().handle(event, context)


@functools.cache
def _api() -> Api:
    settings = Settings.from_environment()
    Logger(service="stillframe", level=settings.log_level.upper(), utc=True, use_rfc3339=True)
    keys = SecretLinkKeys(settings.link_secret, connect_secrets) if settings.link_secret else NO_KEYS
    needs_key = settings.api_authorisation == "key"
    return Api(Services.build(Clients.connect(), settings, connect_presigner(), needs_key=needs_key, link_keys=keys))
