"""One canonical log line and one metric record for each capture, and nothing else on the happy path."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import IO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from stillframe.errors import ServiceUnavailable, UnexpectedError
from stillframe.outcome import Outcome, OutcomeKind

SERVICE = "stillframe"
NAMESPACE = "Stillframe"

# What needs a person is an error; what the service deals with by itself is not.
ALARMING_CODES = frozenset({ServiceUnavailable.code, UnexpectedError.code})
LEVELS = {
    OutcomeKind.CAPTURED: logging.INFO,
    OutcomeKind.SKIPPED: logging.INFO,
    OutcomeKind.FAILED: logging.WARNING,
    OutcomeKind.RETRY: logging.WARNING,
}

Observer = Callable[[Outcome], None]


def json_logger(level: str, stream: IO[str] | None = None) -> Logger:
    """The process's logger; the loggers of all Stillframe modules are its children."""
    logger = Logger(service=SERVICE, level=level.upper(), stream=stream, utc=True, use_rfc3339=True)
    # The renderer's modules are named after their folder, which is not below the service's name.
    package_logger = logging.getLogger(__package__)
    package_logger.handlers = list(logging.getLogger(SERVICE).handlers)
    package_logger.setLevel(level.upper())
    package_logger.propagate = False
    return logger


def log_outcome(outcome: Outcome) -> None:
    """The canonical line: outcome, reason, receive count, claim age, render milliseconds, bytes."""
    level = logging.ERROR if outcome.error_code in ALARMING_CODES else LEVELS[outcome.kind]
    logging.getLogger(SERVICE).log(level, "capture", extra=outcome.to_wire())


class MetricEmitter:
    """CloudWatch embedded metric format, one record a capture, on a stream that CloudWatch reads."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __call__(self, outcome: Outcome) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
        metrics.add_dimension("outcome", outcome.kind.value)
        metrics.add_metadata("reason", outcome.reason or "none")
        metrics.add_metadata("id", outcome.id)
        metrics.add_metric("Captures", MetricUnit.Count, 1)
        metrics.add_metric("Duration", MetricUnit.Milliseconds, outcome.duration_ms)
        metrics.add_metric("ReceiveCount", MetricUnit.Count, outcome.receive_count)
        if outcome.render_ms is not None:
            metrics.add_metric("RenderDuration", MetricUnit.Milliseconds, outcome.render_ms)
        if outcome.artifact is not None:
            metrics.add_metric("ImageSize", MetricUnit.Bytes, outcome.artifact.bytes)
        if outcome.claim_age_ms is not None:
            metrics.add_metric("ClaimAge", MetricUnit.Milliseconds, max(0, outcome.claim_age_ms))
        self._write(metrics)

    def refused(self, counts: Mapping[str, int]) -> None:
        """What the egress guard refused one capture: a metric for each decision (deny.private, deny.port, ...)."""
        for decision, count in counts.items():
            metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
            metrics.add_dimension("decision", decision)
            metrics.add_metric("RefusedConnections", MetricUnit.Count, count)
            self._write(metrics)

    def _write(self, metrics: EphemeralMetrics) -> None:
        # One write for the whole line: captures end on several threads.
        self._stream.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")
        self._stream.flush()
