"""The settings of a process, read once from its environment."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_network
from typing import Annotated, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from stillframe.egress.own_ports import own_ports
from stillframe.egress.policy import EgressPolicy
from stillframe.outward_settings import OutwardSettings
from stillframe.request.secret_grant import SecretGrant

MILLISECONDS = 1000


def comma_separated(value: object) -> object:
    """The trimmed parts of a comma-separated string; any other value is returned unchanged."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class SettingsError(Exception):
    """The environment is incomplete or wrong. The message names each variable and what it should be."""


class Settings(OutwardSettings):
    """One field per variable; the alias is the variable's name."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    queue_url: Annotated[str, Field(alias="QUEUE_URL", description="the queue of requests", min_length=1)]
    dead_letter_queue_url: Annotated[
        str, Field(alias="DEAD_LETTER_QUEUE_URL", description="where messages go that cannot succeed", min_length=1)
    ]
    table_name: Annotated[str, Field(alias="TABLE_NAME", description="the table of records", min_length=1)]
    bucket_name: Annotated[str, Field(alias="BUCKET_NAME", description="the bucket of images", min_length=1)]
    log_level: Annotated[
        str,
        Field(
            alias="LOG_LEVEL",
            description="debug, info, warning, error or critical",
            pattern=r"^(?i:debug|info|warning|error|critical)$",
        ),
    ] = "INFO"

    service: Annotated[
        str,
        Field(
            alias="STILLFRAME_SERVICE",
            description="the dimension of this deployment's metrics",
            pattern=r"^[A-Za-z0-9-]{1,64}$",
        ),
    ] = "stillframe"
    key_prefix: Annotated[
        str,
        Field(
            alias="STILLFRAME_KEY_PREFIX",
            description="what the keys of images begin with",
            pattern=r"^[A-Za-z0-9._/-]*[A-Za-z0-9._-]$",
        ),
    ] = "screenshots"
    tabs: Annotated[int, Field(ge=1, le=64)] | None = Field(
        None,
        alias="STILLFRAME_TABS",
        description="pages that a worker captures at once; `auto` finds the number by measurement",
    )
    min_tabs: Annotated[
        int, Field(alias="STILLFRAME_MIN_TABS", description="the fewest that `auto` may choose", ge=1, le=64)
    ] = 2
    max_tabs: Annotated[
        int, Field(alias="STILLFRAME_MAX_TABS", description="the most that `auto` may choose", ge=1, le=64)
    ] = 16
    job_deadline_seconds: Annotated[
        float,
        Field(
            alias="STILLFRAME_JOB_DEADLINE_SECONDS",
            description="how long one delivery of a message may take",
            ge=1,
            le=840,
        ),
    ] = 50
    per_host: Annotated[
        int,
        Field(
            alias="STILLFRAME_PER_HOST",
            description="captures of one host at once, across all workers; 0 is any number",
            ge=0,
            le=1000,
        ),
    ] = 0
    max_receive_count: Annotated[
        int,
        Field(
            alias="STILLFRAME_MAX_RECEIVE_COUNT",
            description="deliveries of a message, if the queue does not say it itself",
            ge=1,
            le=1000,
        ),
    ] = 5
    has_redrive_policy: Annotated[
        bool,
        Field(
            alias="STILLFRAME_HAS_REDRIVE_POLICY",
            description="whether the queue moves messages to its dead-letter queue by itself; a worker finds out",
        ),
    ] = True
    backoff_base_seconds: Annotated[
        float,
        Field(
            alias="STILLFRAME_BACKOFF_BASE_SECONDS",
            description="the wait before the second delivery; it doubles with each",
            ge=0,
            le=900,
        ),
    ] = 5
    backoff_cap_seconds: Annotated[
        float,
        Field(
            alias="STILLFRAME_BACKOFF_CAP_SECONDS",
            description="the longest wait before another delivery",
            ge=0,
            le=43_200,
        ),
    ] = 300
    lease_margin_seconds: Annotated[
        float,
        Field(
            alias="STILLFRAME_LEASE_MARGIN_SECONDS", description="how far the clocks of workers may differ", ge=0, le=60
        ),
    ] = 2
    record_retention_days: Annotated[
        int, Field(alias="STILLFRAME_RECORD_RETENTION_DAYS", description="how long a record is kept", ge=1, le=36_500)
    ] = 90
    worker_id: Annotated[
        str,
        Field(
            alias="STILLFRAME_WORKER_ID",
            description="the name of a worker in records and logs; the host and the process by default",
            max_length=128,
        ),
    ] = ""
    chromium_path: Annotated[
        str, Field(alias="STILLFRAME_CHROMIUM", description="the browser; found by itself when empty")
    ] = ""
    allow_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(
            alias="STILLFRAME_ALLOW_HOSTS",
            description="hosts that pages may reach at any address, as `host:port` or `host:*`",
        ),
    ] = ()
    allow_cidrs: Annotated[
        tuple[str, ...], NoDecode, Field(alias="STILLFRAME_ALLOW_CIDRS", description="networks that count as public")
    ] = ()
    allow_ports: Annotated[
        tuple[int, ...], NoDecode, Field(alias="STILLFRAME_ALLOW_PORTS", description="ports besides 80 and 443")
    ] = ()
    deny: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(
            alias="STILLFRAME_DENY", description="hosts, domains (`.example.com`) and networks that pages may not reach"
        ),
    ] = ()
    secrets: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(alias="STILLFRAME_SECRETS", description="secrets that requests may name, as `ARN@host`"),
    ] = ()
    max_browser_mb: Annotated[
        int | None,
        Field(
            alias="STILLFRAME_MAX_BROWSER_MB",
            description="the browser's memory, in MB; by the machine's when empty",
            ge=256,
            le=1_048_576,
        ),
    ] = None
    # Set by Lambda. None elsewhere: the price and CPU share of a container do not depend on its memory.
    function_memory_mb: Annotated[int | None, Field(alias="AWS_LAMBDA_FUNCTION_MEMORY_SIZE")] = None
    protect_seconds: Annotated[
        float,
        Field(
            alias="STILLFRAME_PROTECT_SECONDS",
            description="how long a task on ECS is protected from scaling in while it has work",
            ge=1,
            le=172_800,
        ),
    ] = 900
    publish_metrics: Annotated[
        bool,
        Field(
            alias="STILLFRAME_PUBLISH_METRICS",
            description="whether a consumer outside Lambda sends its metrics to CloudWatch",
        ),
    ] = False
    max_page_mb: Annotated[
        int, Field(alias="STILLFRAME_MAX_PAGE_MB", description="how much one page may load, in MB", ge=1, le=4096)
    ] = 256

    @field_validator("tabs", mode="before")
    @classmethod
    def parse_tabs(cls, value: object) -> object:
        """`auto`, or nothing: the number is found by measurement, between the minimum and the maximum."""
        return None if value in ("auto", "") else value

    @field_validator("function_memory_mb", mode="before")
    @classmethod
    def parse_memory(cls, value: object) -> object:
        """Lambda always sets a number; whatever another platform sets is ignored."""
        return None if isinstance(value, str) and not value.isdigit() else value

    @field_validator("allow_hosts", "allow_cidrs", "allow_ports", "deny", "secrets", mode="before")
    @classmethod
    def split_list(cls, value: object) -> object:
        return comma_separated(value)

    @field_validator("allow_cidrs")
    @classmethod
    def check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse an invalid network at start, and not at the first page."""
        for cidr in value:
            ip_network(cidr)
        return value

    @field_validator("secrets")
    @classmethod
    def check_grants(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse an invalid grant at start, and not at the first page."""
        for text in value:
            SecretGrant.parse(text)
        return value

    @model_validator(mode="after")
    def set_worker_id(self) -> Self:
        if not self.worker_id:
            stream = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "").rpartition("]")[2]
            object.__setattr__(self, "worker_id", stream or f"{socket.gethostname()}-{os.getpid()}")
        return self

    @property
    def egress_policy(self) -> EgressPolicy:
        """Where pages and webhooks may lead."""
        return EgressPolicy.of(self.allow_hosts, self.allow_cidrs, self.deny, self.allow_ports, own_ports())

    def of_webhooks(self) -> Self:
        """The same with the queues of webhooks in the place of those of requests. Raises SettingsError without any."""
        queues = {"queue_url": self.webhook_queue_url, "dead_letter_queue_url": self.webhook_dead_letter_queue_url}
        if not all(queues.values()):
            raise SettingsError("This deployment sends no webhooks: WEBHOOK_QUEUE_URL is not set.")
        return self.model_copy(update=queues)

    @property
    def tabs_floor(self) -> int:
        """The fewest tabs that measurement may choose."""
        return self.tabs or min(self.min_tabs, self.max_tabs)

    @property
    def tabs_ceiling(self) -> int:
        """The most tabs that measurement may choose."""
        return self.tabs or self.max_tabs

    @property
    def record_retention_seconds(self) -> int:
        return self.record_retention_days * 24 * 3600

    @property
    def lease_margin_ms(self) -> int:
        return int(self.lease_margin_seconds * MILLISECONDS)

    @classmethod
    def from_environment(cls, **overrides: object) -> Self:
        """Read the environment; `overrides`, by variable name, take precedence over it.

        Raises SettingsError, naming every variable that is missing or wrong.
        """
        if os.environ.get("POWERTOOLS_IDEMPOTENCY_DISABLED", "").lower() in ("1", "true", "yes", "on", "y", "t"):
            raise SettingsError(
                "POWERTOOLS_IDEMPOTENCY_DISABLED is set: every duplicate would be rendered and stored again. Unset it."
            )
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            problems = "; ".join(f"{item['loc'][0]}: {_problem(item['type'], item['msg'])}" for item in error.errors())
            raise SettingsError(f"environment: {problems}") from error


def _problem(kind: str, message: str) -> str:
    return "is not set" if kind == "missing" else message
