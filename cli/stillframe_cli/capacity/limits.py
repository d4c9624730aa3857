"""AWS's limits, and how much of each a load takes: the one that binds first, and how it is raised.

Sources, by service: docs.aws.amazon.com: "Lambda quotas", "Configuring scaling behavior for SQS event source mappings",
"Amazon SQS standard queue quotas", "Quotas in Amazon DynamoDB", "Amazon S3 performance guidelines",
"AWS Fargate service quotas", "ECS service quotas".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from stillframe.table.record import INDEX_SHARDS

from .prices import INDEX_WRITES, KB, RECORD_BYTES, TABLE_WRITES

# Standard mapping: at first, more a minute, at most.
MAPPING_START = 5
MAPPING_PER_MINUTE = 300
MAPPING_MOST = 1250
MAX_CONCURRENCY_SETTING = 1000
# Provisioned pollers.
POLLER_CONCURRENCY = 10
PROVISIONED_PER_MINUTE = 1000
PROVISIONED_MOST = 20_000
MIN_POLLERS, MOST_POLLERS = 2, 2000
# Of a function: new environments in ten seconds.
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
    """A limit, what the load needs of it, and what to do when that is more."""

    name: str
    needed: float
    quota: float
    raise_by: str

    @property
    def share(self) -> float:
        return self.needed / self.quota

    def to_wire(self) -> dict[str, Any]:
        """Wire names."""
        return {
            "limit": self.name,
            "needed": round(self.needed, 1),
            "quota": self.quota,
            "share": round(self.share, 4),
            "raise": self.raise_by,
        }


def limits_of(peak_per_second: float, concurrency: int, vcpus: float, tasks: int, in_flight: float) -> list[Limit]:
    """Those that the load touches, the one that binds first at the head.

    `concurrency` and `in_flight` are of the function, `tasks` and `vcpus` of the fleet; what is not used is 0.
    """
    units = math.ceil(RECORD_BYTES / KB)
    table, index = peak_per_second * TABLE_WRITES * units, peak_per_second * INDEX_WRITES * units
    found = [
        Limit(
            "SQS: messages in flight of a standard queue",
            in_flight,
            SQS_IN_FLIGHT,
            "fewer tabs' worth of messages received ahead; a second queue with a stack of its own",
        ),
        Limit(
            "DynamoDB: writes a second of a new on-demand table",
            table,
            DYNAMODB_NEW_TABLE_WRITES,
            "it doubles its peak within 30 minutes by itself; before a sudden load set warm throughput "
            "(aws dynamodb update-table --warm-throughput)",
        ),
        Limit(
            "DynamoDB: write units a second of a table",
            table + index,
            DYNAMODB_TABLE_WRITES,
            "Service Quotas, DynamoDB, 'Table-level write throughput limit'",
        ),
        Limit(
            "DynamoDB: writes a second of an index partition",
            index / INDEX_SHARDS,
            DYNAMODB_PARTITION_WRITES,
            "INDEX_SHARDS in stillframe/record.py: more shards for one status",
        ),
        Limit(
            "S3: PUTs a second, 256 prefixes",
            peak_per_second,
            S3_PUTS_PER_PREFIX * S3_PREFIXES,
            "nothing to raise: S3 divides prefixes by itself as they grow busy",
        ),
    ]
    if concurrency:
        found += [
            Limit(
                "Lambda: concurrent executions of the account",
                concurrency,
                ACCOUNT_CONCURRENCY,
                "Service Quotas, Lambda, 'Concurrent executions'",
            ),
            _of_mapping(concurrency),
        ]
    if tasks:
        found += [
            Limit(
                "Fargate: on-demand vCPUs of the account",
                vcpus,
                FARGATE_VCPUS,
                "Service Quotas, AWS Fargate, 'Fargate On-Demand vCPU resource count'",
            ),
            Limit(
                "ECS: tasks of a service",
                tasks,
                FARGATE_TASKS_PER_SERVICE,
                "a second service, or tasks with more CPUs",
            ),
        ]
    return sorted(found, key=lambda limit: limit.share, reverse=True)


def _of_mapping(concurrency: int) -> Limit:
    if concurrency > MAX_CONCURRENCY_SETTING:
        name = "Lambda: concurrency of an SQS mapping with pollers of its own"
        return Limit(name, concurrency, PROVISIONED_MOST, "a second queue with a stack of its own")
    return Limit(
        "Lambda: concurrency of an SQS mapping",
        concurrency,
        MAX_CONCURRENCY_SETTING,
        "pollers of its own (-c stillframe:maxPollers=..): up to 20,000",
    )
