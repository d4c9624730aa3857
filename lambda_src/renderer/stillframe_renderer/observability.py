"""One canonical log line and the metrics of each delivery, and nothing else on the happy path."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any

from aws_lambda_powertools import Logger

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


def _json_line(line: dict[str, Any]) -> str:
    """Serialise a log line, safely for terminals: its URLs and messages are text from requesters and pages."""
    if line.get("message") == log_messages.CAPTURE:
        # The canonical line comes from one place, and there is one for each delivery.
        line.pop("location", None)
    return printable_json(json.dumps(line, default=str, separators=(",", ":"), ensure_ascii=False))


def log_outcome(outcome: Outcome) -> None:
    """Write the canonical line: outcome, reason, receive count, claim age, render milliseconds, bytes.

    What the record has as well is in the line at the level DEBUG only.
    """
    logger = logging.getLogger(SERVICE)
    level = logging.ERROR if outcome.error_code in ALARMING_CODES else LEVELS[outcome.kind]
    values = outcome.to_wire() if logger.isEnabledFor(logging.DEBUG) else outcome.to_log()
    logger.log(level, log_messages.CAPTURE, extra=values)


class Unit(StrEnum):
    """The units of metrics, as CloudWatch names them."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"
    BYTES = "Bytes"
    PERCENT = "Percent"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class Measurement:
    """Metric values with one set of dimensions, to which the service's name is added."""

    dimensions: Mapping[str, str]
    values: Mapping[str, tuple[Unit, float]]


def measurements(outcome: Outcome) -> Iterator[Measurement]:
    """The metrics of one delivery: by outcome, by reason if there is one, and for all deliveries together.

    Each metric is paid for by the month, so that each is one that an alarm, the dashboard or `monitor` reads.
    """
    values: dict[str, tuple[Unit, float]] = {"Captures": (Unit.COUNT, 1)}
    if outcome.is_takeover:
        values["StaleClaims"] = (Unit.COUNT, 1)
    if outcome.cost is not None:
        values["EstimatedUsd"] = (Unit.NONE, outcome.cost.usd[worker_architecture()])
    if outcome.kind is OutcomeKind.CAPTURED:
        values |= _capture_values(outcome)
    yield Measurement({"outcome": outcome.kind.value}, values)
    if outcome.reason is not None:
        dimensions = {"outcome": outcome.kind.value, "reason": outcome.reason}
        yield Measurement(dimensions, {"Reasons": (Unit.COUNT, 1)})
    if alarm_values := _alarm_values(outcome):
        yield Measurement({}, alarm_values)


def _capture_values(outcome: Outcome) -> dict[str, tuple[Unit, float]]:
    """What is known of an image that was captured, or adopted without rendering."""
    milliseconds: dict[str, float | None] = {
        "Duration": outcome.duration_ms,
        "RenderDuration": outcome.render_ms,
        "ClaimAge": max(0, outcome.claim_age_ms) if outcome.claim_age_ms is not None else None,
        "Latency": outcome.latency_ms,
        "AwsTime": sum(outcome.aws_ms.values()) or None,
        "CpuTime": outcome.cost.cpu_ms if outcome.cost is not None else None,
        "BilledTime": outcome.cost.billed_ms if outcome.cost is not None else None,
    }
    values = {name: (Unit.MILLISECONDS, value) for name, value in milliseconds.items() if value is not None}
    if outcome.image is not None:
        values["ImageSize"] = (Unit.BYTES, outcome.image.bytes)
    return values


def _alarm_values(outcome: Outcome) -> dict[str, tuple[Unit, float]]:
    """The metrics that alarms watch. Values of 0 or 100 average to a percentage, so no alarm has to divide."""
    values: dict[str, tuple[Unit, float]] = {}
    is_claim_lost = outcome.kind is OutcomeKind.SKIPPED or outcome.error_code == ClaimHeld.code
    if is_claim_lost or outcome.attempts:
        values["LostClaims"] = (Unit.PERCENT, 100 * is_claim_lost)
    if outcome.kind in (OutcomeKind.CAPTURED, OutcomeKind.FAILED):
        values["FailedCaptures"] = (Unit.PERCENT, 100 * (outcome.kind is OutcomeKind.FAILED))
    if outcome.image is not None:
        values["BlankImages"] = (Unit.PERCENT, 100 * bool(outcome.image.facts.blank))
    if outcome.error_code in ALARMING_CODES:
        values["ServiceErrors"] = (Unit.COUNT, 1)
    if outcome.cost is not None:
        values["EstimatedUsd"] = (Unit.NONE, outcome.cost.usd[worker_architecture()])
    return values


def refusals(counts: Mapping[str, int]) -> Iterator[Measurement]:
    """The connections that the egress guard refused in one capture, by decision (deny.private, deny.port, ...)."""
    for decision, count in counts.items():
        yield Measurement({"decision": decision}, {"RefusedConnections": (Unit.COUNT, count)})


def unhealthy_pauses() -> Iterator[Measurement]:
    """One pause of a worker that cannot work."""
    yield Measurement({}, {"WorkerUnhealthy": (Unit.COUNT, 1)})
