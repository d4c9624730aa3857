"""AWS list prices in us-east-1, in USD, without any free tier, as of PRICES_AS_OF in stillframe/cost.py.

Sources: public copies of the pricing pages under https://aws.amazon.com for Lambda, Fargate, SQS, DynamoDB, S3 and
CloudWatch. Other regions cost up to a third more.
"""

from __future__ import annotations

import math

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

# Send, receive, delete. This is the worst case: messages of a batch share their requests.
SQS_REQUESTS = 3
# A record is written when it is queued, claimed and completed. In the index it is put, then deleted and put under
# another key, then deleted ("Using Global Secondary Indexes in DynamoDB": a changed key costs two writes).
TABLE_WRITES = 3
INDEX_WRITES = 4
RECORD_BYTES = 1500
# Measured on the bundled pages: a log line of 1.0 KB, metrics in two lines of 1.3 KB, and Lambda's own lines.
LOG_BYTES = 2400
# What a deployment costs without a capture (stacks/alarms.py), and about how many metrics it has once there are all
# outcomes: 15 of captures alone, and those of failures, retries and duplicates by their reasons.
ALARMS = 16
METRICS = 40
# Container Insights of a cluster with one service, by which a fleet scales: an estimate.
FLEET_METRICS = 30
KB = 1024
# Default retention (stacks/config.py).
IMAGE_DAYS = 365
RECORD_DAYS = 90


def service_usd(captures: float) -> float:
    """Return the cost of queue, table, bucket requests and logs for a number of captures."""
    units = math.ceil(RECORD_BYTES / KB)
    usd_per_capture = (
        SQS_REQUESTS * SQS_PER_REQUEST
        + (TABLE_WRITES + INDEX_WRITES) * units * DYNAMODB_PER_WRITE_UNIT
        + S3_PER_PUT
        + LOG_BYTES / 1e9 * LOGS_PER_GB
    )
    return captures * usd_per_capture


def storage_usd_per_month(images: float, bytes_per_image: float, records: float) -> float:
    """Return the monthly cost of storing a number of images and records."""
    return images * bytes_per_image / 1e9 * S3_PER_GB_MONTH + records * RECORD_BYTES / 1e9 * DYNAMODB_PER_GB_MONTH


def monthly_services_usd(captures: float, bytes_per_image: float, has_fleet: bool = False) -> dict[str, float]:
    """Return the monthly cost of everything but compute, for a number of captures per month.

    Storage is that of the steady state, when as many images and records expire as are added.
    """
    per_day = captures / HOURS_PER_MONTH * 24
    return {
        "queueTableBucketLogs": service_usd(captures),
        "storage": storage_usd_per_month(per_day * IMAGE_DAYS, bytes_per_image, per_day * RECORD_DAYS),
        "monitoring": ALARMS * ALARM_PER_MONTH
        + DASHBOARD_PER_MONTH
        + (METRICS + (FLEET_METRICS if has_fleet else 0)) * METRIC_PER_MONTH,
    }
