"""The limits of AWS, how much of each a load uses, which one binds first, and how to raise it.

Sources, by service: docs.aws.amazon.com: "Lambda quotas", "Configuring scaling behavior for SQS event source mappings",
"Amazon SQS standard queue quotas", "Quotas in Amazon DynamoDB", "Amazon S3 performance guidelines",
"AWS Fargate service quotas", "ECS service quotas".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stillframe.table.record import INDEX_SHARDS

from .prices import INDEX_WRITES, TABLE_WRITES, write_units

# Concurrency of a standard mapping: at the start, added per minute, maximum.
MAPPING_START = 5
MAPPING_PER_MINUTE = 300
MAPPING_MAX = 1250
MAX_CONCURRENCY_SETTING = 1000
# Concurrency of a mapping with provisioned pollers: of each poller, added per minute, maximum.
POLLER_CONCURRENCY = 10
PROVISIONED_PER_MINUTE = 1000
PROVISIONED_MAX = 20_000
MIN_POLLERS, MAX_POLLERS = 2, 2000
# Execution environments that a function may add in ten seconds.
ENVIRONMENTS_PER_TEN_SECONDS = 1000
ACCOUNT_CONCURRENCY = 1000
SQS_IN_FLIGHT = 120_000
DYNAMODB_NEW_TABLE_WRITES = 4000
DYNAMODB_TABLE_WRITES = 40_000
DYNAMODB_PARTITION_WRITES = 1000
S3_PUTS_PER_PREFIX = 3500
S3_PREFIXES = 256
FARGATE_VCPUS = 6
FARGATE_TASKS_PER_SERVICE = 5000


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit, how much of it the load needs, and how to raise it."""

    name: str
    needed: float
    quota: float
    raise_by: str

    @property
    def share(self) -> float:
        return self.needed / self.quota

    def to_wire(self) -> dict[str, Any]:
        """Return the limit under its wire names."""
        return {
            "limit": self.name,
            "needed": round(self.needed, 1),
            "quota": self.quota,
            "share": round(self.share, 4),
            "raise": self.raise_by,
        }


def find_limits(peak_per_second: float, concurrency: int, vcpus: float, tasks: int, in_flight: float) -> list[Limit]:
    """Return the limits that apply to a load, the one that binds first at the head.

    `concurrency` is that of the function, `vcpus` and `tasks` are those of the fleet; 0 when it is not used.
    `in_flight` is the number of messages in flight.
    """
    table, index = peak_per_second * write_units(TABLE_WRITES), peak_per_second * write_units(INDEX_WRITES)
    limits = [
        Limit(
            "SQS: messages in flight of a standard queue",
            in_flight,
            SQS_IN_FLIGHT,
            "Receive fewer messages ahead, or deploy a second stack with its own queue.",
        ),
        Limit(
            "DynamoDB: writes per second of a new on-demand table",
            table,
            DYNAMODB_NEW_TABLE_WRITES,
            "DynamoDB doubles it within 30 minutes by itself; before a sudden load, set the warm throughput "
            "(aws dynamodb update-table --warm-throughput).",
        ),
        Limit(
            "DynamoDB: write units per second of a table",
            table + index,
            DYNAMODB_TABLE_WRITES,
            "Request more in Service Quotas: DynamoDB, 'Table-level write throughput limit'.",
        ),
        Limit(
            "DynamoDB: writes per second of an index partition",
            index / INDEX_SHARDS,
            DYNAMODB_PARTITION_WRITES,
            "Raise INDEX_SHARDS in stillframe/table/record.py, for more shards per status.",
        ),
        Limit(
            "S3: PUTs per second over 256 prefixes",
            peak_per_second,
            S3_PUTS_PER_PREFIX * S3_PREFIXES,
            "Nothing to do: S3 splits busy prefixes by itself.",
        ),
    ]
    if concurrency:
        limits += [
            Limit(
                "Lambda: concurrent executions of the account",
                concurrency,
                ACCOUNT_CONCURRENCY,
                "Request more in Service Quotas: Lambda, 'Concurrent executions'.",
            ),
            _mapping_limit(concurrency),
        ]
    if tasks:
        limits += [
            Limit(
                "Fargate: on-demand vCPUs of the account",
                vcpus,
                FARGATE_VCPUS,
                "Request more in Service Quotas: AWS Fargate, 'Fargate On-Demand vCPU resource count'.",
            ),
            Limit(
                "ECS: tasks of a service",
                tasks,
                FARGATE_TASKS_PER_SERVICE,
                "Use tasks with more vCPUs, or a second service.",
            ),
        ]
    return sorted(limits, key=lambda limit: limit.share, reverse=True)


def _mapping_limit(concurrency: int) -> Limit:
    if concurrency > MAX_CONCURRENCY_SETTING:
        name = "Lambda: concurrency of an SQS mapping with provisioned pollers"
        return Limit(name, concurrency, PROVISIONED_MAX, "Deploy a second stack with its own queue.")
    return Limit(
        "Lambda: concurrency of an SQS mapping",
        concurrency,
        MAX_CONCURRENCY_SETTING,
        "Use provisioned pollers (-c stillframe:maxPollers=N), for up to 20,000.",
    )
