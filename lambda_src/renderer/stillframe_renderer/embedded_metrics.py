"""Metrics in the CloudWatch embedded metric format: log lines from which CloudWatch reads them.

A line defines its metrics once, and has the values of a whole batch: 1.3 KB for five captures, and not five times 1.1.
Source: CloudWatch, "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from stillframe.outcome import Outcome

from .observability import NAMESPACE, SERVICE, Measurement, Unit, measurements, refusals, unhealthy_pauses

# A metric has at most so many values in a line.
MAX_VALUES = 100
Dimensions = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Series:
    """The values of metrics with the same dimensions, in the order in which they came."""

    dimensions: Dimensions
    units: dict[str, Unit] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        return any(len(values) >= MAX_VALUES for values in self.values.values())

    def add(self, measured: Measurement) -> None:
        for name, (unit, value) in measured.values.items():
            self.units[name] = unit
            self.values.setdefault(name, []).append(int(value) if float(value).is_integer() else value)

    @property
    def members(self) -> Mapping[str, Any]:
        """The members of a line that hold its dimensions and its values."""
        return {**dict(self.dimensions), **self.values}

    @property
    def directive(self) -> dict[str, Any]:
        """What tells CloudWatch which members are metrics."""
        metrics = [{"Name": name, "Unit": unit.value} for name, unit in self.units.items()]
        return {
            "Namespace": NAMESPACE,
            "Dimensions": [sorted(name for name, _ in self.dimensions)],
            "Metrics": metrics,
        }


class MetricEmitter:
    """An observer that gathers the metrics of deliveries, and writes them to a stream at the end of their batch.

    Those of a batch whose worker is killed are lost, although its log lines are written.
    """

    def __init__(self, stream: IO[str], service: str = SERVICE) -> None:
        self._stream = stream
        self._service = service
        self._lock = threading.Lock()
        self._gathered: list[Measurement] = []

    def __call__(self, outcome: Outcome) -> None:
        """Gather the metrics of a delivery."""
        measured = list(measurements(outcome))
        with self._lock:
            self._gathered += measured

    def flush(self) -> None:
        """Write what has been gathered. Call it at the end of each batch."""
        with self._lock:
            gathered, self._gathered = self._gathered, []
        self._write(gathered)

    def refused(self, counts: Mapping[str, int]) -> None:
        """Count the connections that the egress guard refused in one capture, by decision."""
        self._write(refusals(counts))

    def unhealthy(self) -> None:
        """Count one pause of a worker that cannot work."""
        self._write(unhealthy_pauses())

    def _write(self, measured: Iterable[Measurement]) -> None:
        for line in _lines(_series(measured, self._service), int(time.time() * 1000)):
            # One write per line: captures end on several threads.
            self._stream.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._stream.flush()


def _series(measured: Iterable[Measurement], service: str) -> list[Series]:
    """The measurements by their dimensions."""
    found: list[Series] = []
    open_series: dict[Dimensions, Series] = {}
    for each in measured:
        dimensions = tuple(sorted({**each.dimensions, "service": service}.items()))
        series = open_series.get(dimensions)
        if series is None or series.is_full:
            series = open_series[dimensions] = Series(dimensions)
            found.append(series)
        series.add(each)
    return found


def _lines(found: Iterable[Series], now_ms: int) -> Iterator[dict[str, Any]]:
    """As few lines as possible: series share one unless a member would have two values."""
    lines: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    for series in found:
        members = series.members
        for line, directives in lines:
            if all(line.get(name, value) == value for name, value in members.items()):
                line.update(members)
                directives.append(series.directive)
                break
        else:
            lines.append((dict(members), [series.directive]))
    for line, directives in lines:
        yield {"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": directives}, **line}
