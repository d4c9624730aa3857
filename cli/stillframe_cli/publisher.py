"""Metrics of a worker whose log nobody reads metrics from: put to CloudWatch, gathered for a moment."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.outcome import Outcome
from stillframe_renderer.observability import NAMESPACE, SERVICE, Measurement, measurements, refusals

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

logger = logging.getLogger("stillframe.publisher")

FLUSH_SECONDS = 2.0
# Of PutMetricData: values in one datum, data in one request.
MAX_VALUES = 150
MAX_DATA = 500

Key = tuple[str, str, tuple[tuple[str, str], ...]]


class MetricPublisher:
    """An observer of outcomes. What it puts has a resolution of one second; what cannot be put is dropped, and said."""

    def __init__(self, client: CloudWatchClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._gathered: dict[tuple[Key, int], Counter[float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def __call__(self, outcome: Outcome) -> None:
        self._gather(measurements(outcome))

    def refused(self, counts: Mapping[str, int]) -> None:
        """What the egress guard refused one capture."""
        self._gather(refusals(counts))

    def close(self) -> None:
        """Put what is left. Idempotent."""
        self._stop.set()
        self._thread.join()
        self._flush()

    def _gather(self, measured: Iterable[Measurement]) -> None:
        second = int(time.time())
        with self._lock:
            for each in measured:
                dimensions = tuple(sorted({**each.dimensions, "service": SERVICE}.items()))
                for name, (unit, value) in each.values.items():
                    key: Key = (name, unit.value, dimensions)
                    self._gathered.setdefault((key, second), Counter())[value] += 1

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            gathered, self._gathered = self._gathered, {}
        data = [datum for (key, second), values in gathered.items() for datum in _data(key, second, values)]
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
