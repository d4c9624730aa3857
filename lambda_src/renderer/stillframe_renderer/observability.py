"""One canonical log line and the metrics of each delivery, and nothing else on the happy path."""

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
from stillframe.errors import CallRefused, ClaimHeld, UnexpectedError, WorkerFault, codes_of
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.printable import printable_json

# The name of the logger, and the service in log lines and metrics unless the settings name another one.
SERVICE = "stillframe"
NAMESPACE = "Stillframe"

# Logged as errors because they need a person; the service deals with all others by itself.
ALARMING_CODES = frozenset({*codes_of(WorkerFault), CallRefused.code, UnexpectedError.code})
LEVELS = {
    OutcomeKind.CAPTURED: logging.INFO,
    OutcomeKind.SKIPPED: logging.INFO,
    OutcomeKind.FAILED: logging.WARNING,
    OutcomeKind.RETRY: logging.WARNING,
}

Observer = Callable[[Outcome], None]


def json_logger(level: str, stream: IO[str] | None = None) -> Logger:
    """Create the process's logger. The loggers of all Stillframe modules are its children."""
    logger = Logger(
        service=SERVICE,
        level=level.upper(),
        stream=stream,
        utc=True,
        use_rfc3339=True,
        json_serializer=_json_line,
    )
    # `stillframe_renderer` is not a child of the logger `stillframe`, so it needs the handlers as well.
    package_logger = logging.getLogger(__package__)
    package_logger.handlers = list(logging.getLogger(SERVICE).handlers)
    package_logger.setLevel(level.upper())
    package_logger.propagate = False
    return logger


def _json_line(line: object) -> str:
    """Serialise a log line, safely for terminals: its URLs and titles are text from requesters and pages."""
    return printable_json(json.dumps(line, default=str, separators=(",", ":"), ensure_ascii=False))


def log_outcome(outcome: Outcome) -> None:
    """Write the canonical line: outcome, reason, receive count, claim age, render milliseconds, bytes."""
    level = logging.ERROR if outcome.error_code in ALARMING_CODES else LEVELS[outcome.kind]
    logging.getLogger(SERVICE).log(level, log_messages.CAPTURE, extra=outcome.to_wire())


@dataclass(frozen=True, slots=True)
class Measurement:
    """Metric values with one set of dimensions, to which the service's name is added."""

    dimensions: Mapping[str, str]
    values: Mapping[str, tuple[MetricUnit, float]]
    metadata: Mapping[str, str] = field(default_factory=dict)


def measurements(outcome: Outcome) -> Iterator[Measurement]:
    """The metrics of one delivery: by outcome, by reason if there is one, and for all deliveries together."""
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
    if outcome.latency_ms is not None:
        values["Latency"] = (MetricUnit.Milliseconds, outcome.latency_ms)
    if outcome.aws_ms:
        values["AwsTime"] = (MetricUnit.Milliseconds, sum(outcome.aws_ms.values()))
    if outcome.cost is not None:
        values["CpuTime"] = (MetricUnit.Milliseconds, outcome.cost.cpu_ms)
        values["BilledTime"] = (MetricUnit.Milliseconds, outcome.cost.billed_ms)
        values["EstimatedUsd"] = (MetricUnit.NoUnit, outcome.cost.usd[worker_architecture()])
    metadata = {"reason": outcome.reason or "none", "id": outcome.id}
    if outcome.tenant is not None:
        metadata["tenant"] = outcome.tenant
    yield Measurement({"outcome": outcome.kind.value}, values, metadata)
    if outcome.reason is not None:
        dimensions = {"outcome": outcome.kind.value, "reason": outcome.reason}
        yield Measurement(dimensions, {"Reasons": (MetricUnit.Count, 1)})
    if alarm_values := _alarm_values(outcome):
        yield Measurement({}, alarm_values)


def _alarm_values(outcome: Outcome) -> dict[str, tuple[MetricUnit, float]]:
    """The metrics that alarms watch. Values of 0 or 100 average to a percentage, so no alarm has to divide."""
    values: dict[str, tuple[MetricUnit, float]] = {}
    is_claim_lost = outcome.kind is OutcomeKind.SKIPPED or outcome.error_code == ClaimHeld.code
    if is_claim_lost or outcome.attempts:
        values["LostClaims"] = (MetricUnit.Percent, 100 * is_claim_lost)
    if outcome.kind in (OutcomeKind.CAPTURED, OutcomeKind.FAILED):
        values["FailedCaptures"] = (MetricUnit.Percent, 100 * (outcome.kind is OutcomeKind.FAILED))
    if outcome.image is not None:
        values["BlankImages"] = (MetricUnit.Percent, 100 * bool(outcome.image.facts.blank))
    if outcome.error_code in ALARMING_CODES:
        values["ServiceErrors"] = (MetricUnit.Count, 1)
    if outcome.cost is not None:
        values["EstimatedUsd"] = (MetricUnit.NoUnit, outcome.cost.usd[worker_architecture()])
    return values


def refusals(counts: Mapping[str, int]) -> Iterator[Measurement]:
    """The connections that the egress guard refused in one capture, by decision (deny.private, deny.port, ...)."""
    for decision, count in counts.items():
        yield Measurement({"decision": decision}, {"RefusedConnections": (MetricUnit.Count, count)})


def unhealthy_pauses() -> Iterator[Measurement]:
    """One pause of a worker that cannot work."""
    yield Measurement({}, {"WorkerUnhealthy": (MetricUnit.Count, 1)})


class MetricEmitter:
    """Writes metrics in the CloudWatch embedded metric format to a stream that CloudWatch reads."""

    def __init__(self, stream: IO[str], service: str = SERVICE) -> None:
        self._stream = stream
        self._service = service

    def __call__(self, outcome: Outcome) -> None:
        self._write(measurements(outcome))

    def refused(self, counts: Mapping[str, int]) -> None:
        """Count the connections that the egress guard refused in one capture, by decision."""
        self._write(refusals(counts))

    def unhealthy(self) -> None:
        """Count one pause of a worker that cannot work."""
        self._write(unhealthy_pauses())

    def _write(self, measured: Iterable[Measurement]) -> None:
        for each in measured:
            metrics = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
            for name, value in each.dimensions.items():
                metrics.add_dimension(name, value)
            for name, value in each.metadata.items():
                metrics.add_metadata(name, value)
            for name, (unit, number) in each.values.items():
                metrics.add_metric(name, unit, number)
            # One write per line: captures end on several threads.
            self._stream.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")
        self._stream.flush()
