"""AWS list prices in us-east-1, in USD, without any free tier, as of PRICES_AS_OF in stillframe/cost.py.

Sources: public copies of the pricing pages under https://aws.amazon.com for Lambda, Fargate, SQS, DynamoDB, S3 and
CloudWatch. Other regions cost up to a third more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

HOURS_PER_MONTH = 730
LAMBDA_PER_REQUEST = 0.20 / 1e6
# Price per hour of a vCPU, and of a GB.
FARGATE = {"x86": (0.04048, 0.004445), "arm64": (0.03238, 0.00356)}
# Usual price of interruptible capacity, as a share of the regular price. It varies.
FARGATE_SPOT_SHARE = 0.30
# A task needs a public address, or a NAT gateway, which costs more.
PUBLIC_IPV4_PER_HOUR = 0.005
SQS_PER_REQUEST = 0.40 / 1e6
DYNAMODB_PER_WRITE_UNIT = 0.625 / 1e6
# A table has point-in-time recovery.
DYNAMODB_PER_GB_MONTH = 0.25 + 0.20
S3_PER_PUT = 0.005 / 1000
S3_PER_GB_MONTH = 0.023
LOGS_PER_GB = 0.50
DATA_OUT_PER_GB = 0.09
ALARM_PER_MONTH = 0.10
DASHBOARD_PER_MONTH = 3.00
METRIC_PER_MONTH = 0.30

# Each request is sent on its own, as the API sends it; messages of a batch are received together, and deleted together.
SQS_SENDS, SQS_REQUESTS_PER_BATCH = 1, 2
KB = 1024
# A record when it is queued, claimed and completed, of a page of text with a URL of 80 characters and a title of 60,
# and an entry of the index: measured, as are the lines of a log (tests/integration/test_bill.py).
QUEUED_BYTES, CLAIMED_BYTES, RECORD_BYTES, ENTRY_BYTES = 295, 455, 1000, 75
TABLE_WRITES = (QUEUED_BYTES, CLAIMED_BYTES, RECORD_BYTES)
# In the index, the entry is put when the record is queued, and deleted when it is completed. The claim leaves it as it
# is ("Using Global Secondary Indexes in DynamoDB": no write for an update that changes no projected attribute).
INDEX_WRITES = (ENTRY_BYTES, ENTRY_BYTES)
# What DynamoDB adds to each item that it stores.
ITEM_OVERHEAD_BYTES = 100
# A capture's own line with its values in the line of metrics; that line itself, and those of Lambda, once for a batch.
LOG_BYTES, LOG_BYTES_PER_BATCH = 660, 1270
# What a deployment costs without a capture (stacks/alarms.py). A fleet also has those of its scaling policies, two for
# each target; an alarm on an expression is charged for each of its metrics.
ALARMS = 16
FLEET_ALARMS = 23
# The metrics of a deployment that has seen each outcome, with one reason for each. Every further reason is one more.
METRICS = 23
# Container Insights of a cluster with one service, by which a fleet scales: ten of CPU, memory, network and storage for
# each of cluster, service and task definition, and seven counts ("Amazon ECS Container Insights metrics").
FLEET_METRICS = 37
# Default retention (stacks/config.py).
IMAGE_DAYS = 365
RECORD_DAYS = 90


def write_units(writes: Iterable[int]) -> int:
    """Return the units that writes of so many bytes consume: each is rounded up to 1 KB."""
    return sum(math.ceil(each / KB) for each in writes)


def sqs_requests(batch_size: float) -> float:
    """Return the requests of SQS for a capture, in batches of this size."""
    return SQS_SENDS + SQS_REQUESTS_PER_BATCH / batch_size


def log_bytes(batch_size: float) -> float:
    """Return the bytes of log for a capture, in batches of this size."""
    return LOG_BYTES + LOG_BYTES_PER_BATCH / batch_size


def service_usd(captures: float, batch_size: float = 1) -> float:
    """Return the cost of queue, table, bucket requests and logs for a number of captures, in batches of this size."""
    usd_per_capture = (
        sqs_requests(batch_size) * SQS_PER_REQUEST
        + (write_units(TABLE_WRITES) + write_units(INDEX_WRITES)) * DYNAMODB_PER_WRITE_UNIT
        + S3_PER_PUT
        + log_bytes(batch_size) / 1e9 * LOGS_PER_GB
    )
    return captures * usd_per_capture


def storage_usd_per_month(images: float, bytes_per_image: float, records: float) -> float:
    """Return the monthly cost of storing a number of images and records."""
    record_bytes = RECORD_BYTES + ITEM_OVERHEAD_BYTES
    return images * bytes_per_image / 1e9 * S3_PER_GB_MONTH + records * record_bytes / 1e9 * DYNAMODB_PER_GB_MONTH


def monthly_services_usd(
    captures: float, bytes_per_image: float, has_fleet: bool = False, batch_size: float = 1
) -> dict[str, float]:
    """Return the monthly cost of everything but compute, for a number of captures per month, in batches of this size.

    Storage is that of the steady state, when as many images and records expire as are added.
    """
    per_day = captures / HOURS_PER_MONTH * 24
    return {
        "queueTableBucketLogs": service_usd(captures, batch_size),
        "storage": storage_usd_per_month(per_day * IMAGE_DAYS, bytes_per_image, per_day * RECORD_DAYS),
        "monitoring": (FLEET_ALARMS if has_fleet else ALARMS) * ALARM_PER_MONTH
        + DASHBOARD_PER_MONTH
        + (METRICS + (FLEET_METRICS if has_fleet else 0)) * METRIC_PER_MONTH,
    }
