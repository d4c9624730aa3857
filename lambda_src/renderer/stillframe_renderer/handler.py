"""The entry point of the Lambda function."""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from stillframe.clients import Clients
from stillframe.queue_settings import QueueSettings
from stillframe.settings import Settings

from .embedded_metrics import MetricEmitter
from .health import WorkerUnfit
from .observability import json_logger, log_outcome
from .process_setup import configure_process
from .runtime import Runtime, build_engine


@functools.cache
def worker() -> tuple[Logger, Runtime]:
    """The worker of this execution environment, built on first use. It goes by what the queue itself is set to.

    Its browser starts meanwhile.

    Raises SettingsError, ClientError or BotoCoreError: the initialisation fails.
    """
    configure_process()
    settings = Settings.from_environment()
    logger = json_logger(settings.log_level)
    metrics = MetricEmitter(sys.stdout, settings.service)
    engine = build_engine(settings, metrics.refused)
    engine.begin_warm_up()
    with contextlib.ExitStack() as undo:
        undo.callback(engine.close)
        clients = Clients.connect()
        runtime = Runtime.build(
            QueueSettings.read(clients.sqs, settings.queue_url).apply(settings),
            clients,
            [log_outcome, metrics],
            on_unhealthy=metrics.unhealthy,
            on_batch_end=metrics.flush,
            engine=engine,
        )
        undo.pop_all()
    return logger, runtime


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Process an SQS batch. Returns the messages that must be delivered again.

    Lambda goes on delivering messages to a worker that cannot work; they are handed back unclaimed. Raises SystemExit
    when that does not pass, so that Lambda replaces this execution environment.
    """
    logger, runtime = worker()
    with logger.append_context_keys(functionRequestId=context.aws_request_id):
        try:
            runtime.health.refresh()
        except WorkerUnfit as error:
            runtime.handler.handle(event, context)
            raise SystemExit(f"this worker cannot work, and ends: {error}") from error
        return runtime.handler.handle(event, context)
