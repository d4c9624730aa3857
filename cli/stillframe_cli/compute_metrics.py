"""How many workers there are: what Lambda and ECS count, and what consumers on an emulator report of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stillframe_renderer.observability import NAMESPACE, SERVICE

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# A consumer that publishes its metrics reports itself once in each interval of this length.
PRESENCE_SECONDS = 2
PRESENCE = "WorkerPresent"
# Reports of the latest interval may still be on their way.
LATE_SECONDS = 2
# Workers are counted over this time, of which each has reported in every interval.
COUNTED_SECONDS = 6
# Longest window for which the first report is looked up.
MAX_LOOKUP_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class ComputeFigures:
    """Numbers of workers; None where nothing counts them.

    `concurrency` is the highest number of invocations at once, `running` are tasks or consumers, and `first_seen` is
    when the first of them reported within the window, in seconds since the epoch.
    """

    concurrency: int | None = None
    running: int | None = None
    desired: int | None = None
    first_seen: float | None = None


class ComputeMetrics:
    """Reads the numbers of workers of a deployment, by the outputs of its stack."""

    def __init__(
        self, client: CloudWatchClient, outputs: Mapping[str, str], is_emulated: bool, service: str = SERVICE
    ) -> None:
        self._client = client
        self._outputs = outputs
        self._is_emulated = is_emulated
        self._service = service

    def read(self, start: float, end: float) -> ComputeFigures:
        """Read the figures of a window, in seconds since the epoch."""
        if self._is_emulated:
            return self._read_presence(start, end)
        function = {"FunctionName": self._outputs.get("FunctionName", "")}
        fleet = {name: self._outputs.get(name, "") for name in ("ClusterName", "ServiceName")}
        queries = {
            "concurrency": _query("AWS/Lambda", "ConcurrentExecutions", "Maximum", 60, function),
            "running": _query("ECS/ContainerInsights", "RunningTaskCount", "Average", 60, fleet),
            "desired": _query("ECS/ContainerInsights", "DesiredTaskCount", "Average", 60, fleet),
        }
        wanted = {name: query for name, query in queries.items() if _is_complete(query)}
        found = self._read(wanted, start, end) if wanted else {}
        return ComputeFigures(
            concurrency=max((round(value) for _, value in found.get("concurrency", [])), default=None),
            running=_latest(found.get("running", [])),
            desired=_latest(found.get("desired", [])),
        )

    def _read_presence(self, start: float, end: float) -> ComputeFigures:
        last = (end - LATE_SECONDS) // PRESENCE_SECONDS * PRESENCE_SECONDS
        first = max(start, end - MAX_LOOKUP_SECONDS) // PRESENCE_SECONDS * PRESENCE_SECONDS
        query = _query(NAMESPACE, PRESENCE, "Sum", PRESENCE_SECONDS, {"service": self._service})
        reports = self._read({"presence": query}, min(first, last - COUNTED_SECONDS), last).get("presence", [])
        recent = [value for at, value in reports if at >= last - COUNTED_SECONDS]
        seen = [at for at, _ in reports if at >= first]
        is_from_the_start = not seen or min(seen) <= first + PRESENCE_SECONDS or end - start > MAX_LOOKUP_SECONDS
        return ComputeFigures(
            running=round(sum(recent) * PRESENCE_SECONDS / COUNTED_SECONDS),
            first_seen=None if is_from_the_start else min(seen),
        )

    def _read(self, queries: Mapping[str, Any], start: float, end: float) -> dict[str, list[tuple[float, float]]]:
        """Times and values of each query, in no order."""
        pages = self._client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[
                {"Id": name, "MetricStat": query, "ReturnData": True} for name, query in queries.items()
            ],
            StartTime=datetime.fromtimestamp(start, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
        )
        found: dict[str, list[tuple[float, float]]] = {}
        for page in pages:
            for result in page["MetricDataResults"]:
                times = [at.timestamp() for at in result["Timestamps"]]
                found.setdefault(result["Id"], []).extend(zip(times, result["Values"], strict=True))
        return found


def _query(namespace: str, metric: str, stat: str, period: int, dimensions: Mapping[str, str]) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {
        "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
        "Stat": stat,
        "Period": period,
    }


def _is_complete(query: Mapping[str, Any]) -> bool:
    return all(each["Value"] for each in query["Metric"]["Dimensions"])


def _latest(values: list[tuple[float, float]]) -> int | None:
    return round(max(values)[1]) if values else None
