"""Publishes the metrics of a worker to CloudWatch when nothing extracts them from its log."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.outcome import Outcome
from stillframe_renderer.observability import NAMESPACE, SERVICE, Measurement, measurements, refusals, unhealthy_pauses

from .compute_metrics import PRESENCE, PRESENCE_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

logger = logging.getLogger("stillframe.publisher")

FLUSH_SECONDS = float(PRESENCE_SECONDS)
CLOSE_SECONDS = 5.0
# Limits of PutMetricData: values in one datum, data in one request.
MAX_VALUES = 150
MAX_DATA = 500

Key = tuple[str, str, tuple[tuple[str, str], ...]]


class MetricPublisher:
    """An observer of outcomes that publishes them as metrics with a resolution of one second.

    Metrics that cannot be published are dropped, with a warning.
    """

    def __init__(self, client: CloudWatchClient, service: str = SERVICE, reports_presence: bool = False) -> None:
        """With `reports_presence`, the worker counts itself every few seconds. In an account that would cost calls."""
        self._client = client
        self._service = service
        self._reports_presence = reports_presence
        self._lock = threading.Lock()
        self._pending: dict[tuple[Key, int], Counter[float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._flush_regularly, name="metrics", daemon=True)
        self._thread.start()

    def __call__(self, outcome: Outcome) -> None:
        self._add(measurements(outcome))

    def refused(self, counts: Mapping[str, int]) -> None:
        """Add what the egress guard refused during one capture."""
        self._add(refusals(counts))

    def unhealthy(self) -> None:
        """Count one pause of a worker that cannot work."""
        self._add(unhealthy_pauses())

    def close(self) -> None:
        """Publish what is pending and stop, unless CloudWatch does not answer. Idempotent."""
        self._stop.set()
        self._thread.join(CLOSE_SECONDS)
        if not self._thread.is_alive():
            self._flush()

    def _add(self, measured: Iterable[Measurement]) -> None:
        second = int(time.time())
        with self._lock:
            for each in measured:
                dimensions = tuple(sorted({**each.dimensions, "service": self._service}.items()))
                for name, (unit, value) in each.values.items():
                    key: Key = (name, unit.value, dimensions)
                    self._pending.setdefault((key, second), Counter())[value] += 1

    def _flush_regularly(self) -> None:
        # Every worker at the same moments, so that each is counted once in every interval.
        while not self._stop.wait(FLUSH_SECONDS - time.time() % FLUSH_SECONDS):
            if self._reports_presence:
                self._add_presence()
            self._flush()

    def _add_presence(self) -> None:
        key: Key = (PRESENCE, "Count", (("service", self._service),))
        # The interval that has just begun.
        second = round(time.time() / PRESENCE_SECONDS) * PRESENCE_SECONDS
        with self._lock:
            self._pending.setdefault((key, second), Counter())[1.0] += 1

    def _flush(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, {}
        data = [datum for (key, second), values in pending.items() for datum in _data(key, second, values)]
        for start in range(0, len(data), MAX_DATA):
            try:
                self._client.put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + MAX_DATA])
            except (ClientError, BotoCoreError) as error:
                logger.warning("metrics could not be published", extra={"error": str(error)})


def _data(key: Key, second: int, values: Counter[float]) -> Iterable[Any]:
    name, unit, dimensions = key
    pairs = list(values.items())
    for start in range(0, len(pairs), MAX_VALUES):
        part = pairs[start : start + MAX_VALUES]
        yield {
            "MetricName": name,
            "Dimensions": [{"Name": dimension, "Value": value} for dimension, value in dimensions],
            "Timestamp": second,
            "Values": [value for value, _ in part],
            "Counts": [float(count) for _, count in part],
            "Unit": unit,
            "StorageResolution": 1,
        }
