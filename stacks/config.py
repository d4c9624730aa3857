"""The configuration of a deployment: a size preset, and single values put over it through context."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from stillframe.egress import EgressPolicy
from stillframe.grant import SecretGrant
from stillframe.settings import comma_separated

# `-c stillframe:memoryMb=4096`: the prefix tells our context from CDK's own, so that a typo is an error.
CONTEXT_PREFIX = "stillframe:"
SIZE_KEY = "size"


class ConfigError(Exception):
    """A context value is unknown or wrong. The message names it, and what is possible."""


class Architecture(StrEnum):
    """What the function runs on."""

    ARM64 = "arm64"
    X86 = "x86"


# A list in cdk.json, comma-separated on the command line.
TextList = Annotated[tuple[str, ...], BeforeValidator(comma_separated)]
Days = Annotated[int, Field(ge=1, strict=False)]


class DeployConfig(BaseModel):
    """One deployment. The relations between the settings are checked here and asserted on the template."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    architecture: Architecture = Architecture.ARM64
    # 1,769 MB is one vCPU.
    memory_mb: Annotated[int, Field(ge=1024, le=10_240)]
    tmp_mb: Annotated[int, Field(ge=512, le=10_240)] = 1024
    tabs: Annotated[int, Field(ge=1, le=64)]
    batch_size: Annotated[int, Field(ge=1, le=10)]
    # Waiting for a fuller batch delays every image; 0 takes what is there.
    batch_window_seconds: Annotated[int, Field(ge=0, le=300)] = 0
    job_deadline_seconds: Annotated[int, Field(ge=5, le=840)] = 50
    function_timeout_seconds: Annotated[int, Field(ge=10, le=900)] = 60
    max_concurrency: Annotated[int, Field(ge=2, le=1000)]
    # 0 reserves nothing: a new account's quota may be too small to reserve from.
    reserved_concurrency: Annotated[int, Field(ge=0, le=10_000)]
    max_receive_count: Annotated[int, Field(ge=5, le=1000)] = 5
    queue_retention_days: Annotated[int, Field(ge=1, le=14)] = 4
    dead_letter_retention_days: Annotated[int, Field(ge=1, le=14)] = 14
    record_retention_days: Days = 90
    object_retention_days: Days = 365
    log_retention_days: Days = 30
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    key_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")] = "screenshots"
    # The same texts as in the environment: see docs/security.md.
    allow_hosts: TextList = ()
    allow_cidrs: TextList = ()
    allow_ports: Annotated[tuple[int, ...], BeforeValidator(comma_separated)] = ()
    deny: TextList = ()
    secrets: TextList = ()
    max_page_mb: Annotated[int, Field(ge=1, le=4096)] = 256
    alarm_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None

    @property
    def visibility_timeout_seconds(self) -> int:
        """Six times the function's timeout plus the window (AWS Lambda, "Configuring an Amazon SQS queue")."""
        return 6 * self.function_timeout_seconds + self.batch_window_seconds

    @property
    def secret_grants(self) -> tuple[SecretGrant, ...]:
        """Which secrets may be sent to which hosts."""
        return tuple(map(SecretGrant.parse, self.secrets))

    @model_validator(mode="after")
    def be_parsable(self) -> Self:
        """What a worker could not start with is refused here."""
        EgressPolicy.of(self.allow_hosts, self.allow_cidrs, self.deny, self.allow_ports)
        for text in self.secrets:
            SecretGrant.parse(text)
        return self

    @model_validator(mode="after")
    def hold_together(self) -> Self:
        relations = {
            "jobDeadlineSeconds must be below functionTimeoutSeconds": (
                self.job_deadline_seconds < self.function_timeout_seconds
            ),
            "deadLetterRetentionDays must be above queueRetentionDays": (
                self.dead_letter_retention_days > self.queue_retention_days
            ),
            "recordRetentionDays must be above deadLetterRetentionDays": (
                self.record_retention_days > self.dead_letter_retention_days
            ),
            "maxConcurrency must not be above reservedConcurrency (or set reservedConcurrency to 0)": (
                not self.reserved_concurrency or self.max_concurrency <= self.reserved_concurrency
            ),
        }
        broken = [rule for rule, holds in relations.items() if not holds]
        if broken:
            raise ValueError("; ".join(broken))
        return self

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """The preset named by `stillframe:size`, with every other `stillframe:` value over it.

        Raises ConfigError that names what is wrong.
        """
        given = {
            key.removeprefix(CONTEXT_PREFIX): value for key, value in context.items() if key.startswith(CONTEXT_PREFIX)
        }
        size = given.pop(SIZE_KEY, "small")
        if size not in PRESETS:
            raise ConfigError(f"{CONTEXT_PREFIX}{SIZE_KEY}: {size!r} is none of {', '.join(PRESETS)}")
        try:
            return cls.model_validate({**PRESETS[size], **given})
        except ValidationError as error:
            raise ConfigError("; ".join(_sentence(item) for item in error.errors())) from error


# Captures an hour: small under 100, medium 100 to 1,000, large above. Two tabs keep one vCPU busy.
PRESETS: dict[str, dict[str, Any]] = {
    "small": {"memoryMb": 2048, "tabs": 2, "batchSize": 2, "maxConcurrency": 2, "reservedConcurrency": 2},
    "medium": {"memoryMb": 3008, "tabs": 3, "batchSize": 3, "maxConcurrency": 10, "reservedConcurrency": 10},
    "large": {"memoryMb": 3538, "tabs": 4, "batchSize": 4, "maxConcurrency": 100, "reservedConcurrency": 100},
}


def _sentence(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = ", ".join(sorted([SIZE_KEY, *(to_camel(field) for field in DeployConfig.model_fields)]))
        return f"{CONTEXT_PREFIX}{name} is not known; known are {known}"
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{CONTEXT_PREFIX}{name}: {message}, not {item['input']!r}" if name else message
