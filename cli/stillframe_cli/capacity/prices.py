"""AWS's list prices in us-east-1 without any free tier, in USD, as of PRICES_AS_OF in stillframe/cost.py.

Sources: the pricing pages under https://aws.amazon.com of Lambda, Fargate, SQS, DynamoDB, S3 and CloudWatch, read
through public copies. A region's own prices are up to a third higher.
"""

from __future__ import annotations

import math

HOURS_A_MONTH = 730
LAMBDA_PER_REQUEST = 0.20 / 1e6
# Per hour of a vCPU and of a GB.
FARGATE = {"x86": (0.04048, 0.004445), "arm64": (0.03238, 0.00356)}
# Varies; this is what the interruptible capacity usually costs.
FARGATE_SPOT_SHARE = 0.30
# A task needs a public address, or a NAT gateway, which is dearer.
PUBLIC_IPV4_PER_HOUR = 0.005
SQS_PER_REQUEST = 0.40 / 1e6
DYNAMODB_PER_WRITE_UNIT = 0.625 / 1e6
DYNAMODB_PER_GB_MONTH = 0.25
S3_PER_PUT = 0.005 / 1000
S3_PER_GB_MONTH = 0.023
LOGS_PER_GB = 0.50
DATA_OUT_PER_GB = 0.09

# One request a message to send, receive, delete: at worst, as batches share them.
SQS_REQUESTS = 3
# Queued, claimed, completed; each write goes to the table, and to the index while it is unfinished.
TABLE_WRITES = 3
INDEX_WRITES = 3
RECORD_BYTES = 1500
LOG_BYTES = 1500
KB = 1024
# How long they are kept by default (stacks/config.py).
IMAGE_DAYS = 365
RECORD_DAYS = 90


def service_usd(captures: float) -> float:
    """Queue, table, bucket's requests and logs for so many captures; without compute and storage."""
    units = math.ceil(RECORD_BYTES / KB)
    each = (
        SQS_REQUESTS * SQS_PER_REQUEST
        + (TABLE_WRITES + INDEX_WRITES) * units * DYNAMODB_PER_WRITE_UNIT
        + S3_PER_PUT
        + LOG_BYTES / 1e9 * LOGS_PER_GB
    )
    return captures * each


def storage_usd_a_month(images: float, bytes_each: float, records: float) -> float:
    """What so many images and records cost for as long as they are kept, a month."""
    return images * bytes_each / 1e9 * S3_PER_GB_MONTH + records * RECORD_BYTES / 1e9 * DYNAMODB_PER_GB_MONTH


def monthly_services_usd(captures: float, bytes_each: float) -> dict[str, float]:
    """All but compute, a month, for so many captures a month; storage once the first of them expire."""
    a_day = captures / HOURS_A_MONTH * 24
    return {
        "queueTableBucketLogs": service_usd(captures),
        "storage": storage_usd_a_month(a_day * IMAGE_DAYS, bytes_each, a_day * RECORD_DAYS),
    }
