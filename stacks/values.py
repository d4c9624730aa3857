"""The kinds of values that a deployment has, as text on the command line or as they are in an environment's file."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from stillframe.request.envelope import EventKind
from stillframe.settings import comma_separated

# The memory sizes in MB that AWS Fargate offers for each CPU size ("Task CPU and memory").
TASK_MEMORY_MB = {
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16_384 + 1, 1024),
    4096: range(8192, 30_720 + 1, 1024),
    8192: range(16_384, 61_440 + 1, 4096),
}


def parse_integer(value: object) -> object:
    """Parse a number given on the command line, which is text."""
    return int(value) if isinstance(value, str) and value.isdigit() else value


# A list in cdk.json, comma-separated on the command line.
TextList = Annotated[tuple[str, ...], BeforeValidator(comma_separated)]
# An image in Amazon ECR, by its digest.
ECR_IMAGE = r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$"
KMS_KEY = r"^arn:[\w-]+:kms:[a-z0-9-]+:\d{12}:key/[0-9a-f-]+$"
# "Resource IDs" of Amazon EC2: 17 characters, or 8 of resources from before 2016.
ID = "^{}-([0-9a-f]{{8}}|[0-9a-f]{{17}})$"
AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
AccountIds = Annotated[tuple[AccountId, ...], BeforeValidator(comma_separated)]
VpcId = Annotated[str, Field(pattern=ID.format("vpc"))]
SubnetIds = Annotated[tuple[Annotated[str, Field(pattern=ID.format("subnet"))], ...], BeforeValidator(comma_separated)]
RouteTableIds = Annotated[tuple[Annotated[str, Field(pattern=ID.format("rtb"))], ...], BeforeValidator(comma_separated)]
EventList = Annotated[tuple[EventKind, ...], BeforeValidator(comma_separated), Field(min_length=1)]
IntegerList = Annotated[tuple[int, ...], BeforeValidator(comma_separated)]
TaskCpu = Annotated[Literal[512, 1024, 2048, 4096, 8192], BeforeValidator(parse_integer)]
# A hundred years. The lifecycle rules of S3 take 32 bits.
Days = Annotated[int, Field(ge=1, le=36_500, strict=False)]


class Architecture(StrEnum):
    """The processor architecture of the function and the tasks."""

    ARM64 = "arm64"
    X86 = "x86"


class Compute(StrEnum):
    """Which service consumes the queue."""

    LAMBDA = "lambda"
    FARGATE = "fargate"
    BOTH = "both"


class Rollout(StrEnum):
    """How a new version takes over."""

    ALL_AT_ONCE = "all-at-once"
    CANARY = "canary"
