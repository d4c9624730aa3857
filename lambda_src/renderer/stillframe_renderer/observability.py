"""One canonical log line and the metrics of each capture, and nothing else on the happy path."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from stillframe import log_messages
from stillframe.cost import worker_architecture
from stillframe.errors import ClaimHeld, ServiceUnavailable, UnexpectedError
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
    # The renderer's package name is not below the service's name, so its loggers need the handlers as well.
    package_logger = logging.getLogger(__package__)
    package_logger.handlers = list(logging.getLogger(SERVICE).handlers)
    package_logger.setLevel(level.upper())
    package_logger.propagate = False
    return logger


def log_outcome(outcome: Outcome) -> None:
    """The canonical line: outcome, reason, receive count, claim age, render milliseconds, bytes."""
    level = logging.ERROR if outcome.error_code in ALARMING_CODES else LEVELS[outcome.kind]
    logging.getLogger(SERVICE).log(level, log_messages.CAPTURE, extra=outcome.to_wire())


@dataclass(frozen=True, slots=True)
class Measurement:
    """Values of one set of dimensions; every set names the service as well."""

    dimensions: Mapping[str, str]
    values: Mapping[str, tuple[MetricUnit, float]]
    metadata: Mapping[str, str] = field(default_factory=dict)


def measurements(outcome: Outcome) -> Iterator[Measurement]:
    """What is counted of one delivery: by outcome, by reason where there is one, and over all."""
    values: dict[str, tuple[MetricUnit, float]] = {
        "Captures": (MetricUnit.Count, 1),
        "Duration": (MetricUnit.Milliseconds, outcome.duration_ms),
        "ReceiveCount": (MetricUnit.Count, outcome.receive_count),
    }
    if outcome.render_ms is not None:
        values["RenderDuration"] = (MetricUnit.Milliseconds, outcome.render_ms)
    if outcome.image is not None:
        values["ImageSize"] = (MetricUnit.Bytes, outcome.image.bytes)
    if outcome.is_takeover:
        values["StaleClaims"] = (MetricUnit.Count, 1)
    if outcome.claim_age_ms is not None:
        values["ClaimAge"] = (MetricUnit.Milliseconds, max(0, outcome.claim_age_ms))
    if outcome.cost is not None:
        values["CpuTime"] = (MetricUnit.Milliseconds, outcome.cost.cpu_ms)
        values["BilledTime"] = (MetricUnit.Milliseconds, outcome.cost.billed_ms)
        values["EstimatedUsd"] = (MetricUnit.NoUnit, outcome.cost.usd[worker_architecture()])
    told = {"reason": outcome.reason or "none", "id": outcome.id}
    yield Measurement({"outcome": outcome.kind.value}, values, told)
    if outcome.reason is not None:
        dimensions = {"outcome": outcome.kind.value, "reason": outcome.reason}
        yield Measurement(dimensions, {"Reasons": (MetricUnit.Count, 1)})
    if shares := _shares(outcome):
        yield Measurement({}, shares)


def _shares(outcome: Outcome) -> dict[str, tuple[MetricUnit, float]]:
    """What alarms are set on. The mean of values that are 0 or 100 is a share in percent: no alarm has to divide."""
    values: dict[str, tuple[MetricUnit, float]] = {}
    has_lost = outcome.kind is OutcomeKind.SKIPPED or outcome.error_code == ClaimHeld.code
    if has_lost or outcome.attempts:
        values["LostClaims"] = (MetricUnit.Percent, 100 * has_lost)
    if outcome.image is not None:
        values["BlankImages"] = (MetricUnit.Percent, 100 * bool(outcome.image.facts.blank))
    if outcome.error_code in ALARMING_CODES:
        values["ServiceErrors"] = (MetricUnit.Count, 1)
    return values


def refusals(counts: Mapping[str, int]) -> Iterator[Measurement]:
    """What the egress guard refused one capture, by decision (deny.private, deny.port, ...)."""
    for decision, count in counts.items():
        yield Measurement({"decision": decision}, {"RefusedConnections": (MetricUnit.Count, count)})


class MetricEmitter:
    """CloudWatch embedded metric format, on a stream that CloudWatch reads."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __call__(self, outcome: Outcome) -> None:
        self._write(measurements(outcome))

    def refused(self, counts: Mapping[str, int]) -> None:
        """What the egress guard refused one capture."""
        self._write(refusals(counts))

    def _write(self, measured: Iterable[Measurement]) -> None:
        for each in measured:
            metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
            for name, value in each.dimensions.items():
                metrics.add_dimension(name, value)
            for name, value in each.metadata.items():
                metrics.add_metadata(name, value)
            for name, (unit, number) in each.values.items():
                metrics.add_metric(name, unit, number)
            # One write for the whole line: captures end on several threads.
            self._stream.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")
        self._stream.flush()
