"""The configuration of a deployment: a size preset, and context values that override parts of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from stillframe.egress.policy import EgressPolicy
from stillframe.request.secret_grant import SecretGrant

from .api_settings import ApiSettings
from .environment import ENVIRONMENT_KEY, ENVIRONMENT_NAME, ConfigError, read_environment
from .event_settings import EventSettings
from .fleet_settings import FleetSettings
from .owner_tags import parse_tags
from .presets import PRESETS, SIZE_KEY
from .values import (
    ECR_IMAGE,
    KMS_KEY,
    TASK_MEMORY_MB,
    AccountId,
    AccountIds,
    Architecture,
    Compute,
    Days,
    IntegerList,
    Rollout,
    RouteTableIds,
    SubnetIds,
    TextList,
    VpcId,
)

# `-c stillframe:memoryMb=4096`: the prefix distinguishes our context from CDK's own, so that a typo is an error.
CONTEXT_PREFIX = "stillframe:"
STACK_NAME = "Stillframe"
# Also accepted without the prefix, as `-c compute=fargate`, because it is the value that is set most often.
COMPUTE_KEY = "compute"
# Concurrent invocations per provisioned poller of an event source mapping (AWS Lambda, "Configuring scaling behavior
# for SQS event source mappings").
CONCURRENCY_PER_POLLER = 10
# Work for about 20 s: `stillframe plan` assumes about 200 ms of a vCPU for a capture, as the benchmark measures.
BACKLOG_PER_VCPU = 100
# Lambda takes 4 KB of environment variables ("Lambda quotas"). Names, resources and numbers take less than the rest.
MAX_VARIABLE_BYTES = 3000


class DeployConfig(FleetSettings, ApiSettings, EventSettings):
    """One deployment. The relations between the settings are checked here and asserted on the template."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    # None for the only deployment of an account and region. Otherwise a part of the names of stacks and metrics.
    environment: Annotated[str, Field(pattern=ENVIRONMENT_NAME)] | None = None
    # Where the deployment belongs; None is wherever the credentials lead.
    account: AccountId | None = None
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] | None = None
    compute: Compute = Compute.LAMBDA
    architecture: Architecture = Architecture.ARM64
    rollout: Rollout = Rollout.ALL_AT_ONCE
    # How the image is built, or one that is in a registry of Amazon ECR already, by its digest.
    image: Annotated[str, Field(pattern=ECR_IMAGE)] | None = None
    base_image: Annotated[str, Field(pattern=r"^\S+@sha256:[0-9a-f]{64}$")] | None = None
    debian_snapshot: Annotated[str, Field(pattern=r"^\d{8}T\d{6}Z$")] | None = None
    ca_bundle: str | None = None
    # 1,769 MB is one vCPU.
    memory_mb: Annotated[int, Field(ge=1024, le=10_240)]
    tmp_mb: Annotated[int, Field(ge=512, le=10_240)] = 1024
    tabs: Annotated[int, Field(ge=1, le=64)]
    batch_size: Annotated[int, Field(ge=1, le=10)]
    # Waiting for a fuller batch delays every image; with 0, a batch has the messages that are there.
    batch_window_seconds: Annotated[int, Field(ge=0, le=300)] = 0
    job_deadline_seconds: Annotated[int, Field(ge=5, le=840)] = 50
    function_timeout_seconds: Annotated[int, Field(ge=10, le=900)] = 60
    max_concurrency: Annotated[int, Field(ge=2, le=1000)]
    # 0 reserves nothing, as the mapping's maximum limits the function anyway. A new account's quota is 10, and Lambda
    # lets nothing of it be reserved.
    reserved_concurrency: Annotated[int, Field(ge=0, le=10_000)] = 0
    # Provisioned pollers, with ten invocations each; with 0, Lambda manages its pollers. They replace maxConcurrency.
    min_pollers: Annotated[int, Field(ge=0, le=200)] = 0
    max_pollers: Annotated[int, Field(ge=0, le=2000)] = 0
    # Captures of one host at once; 0 is no limit.
    per_host: Annotated[int, Field(ge=0, le=1000)] = 0
    max_receive_count: Annotated[int, Field(ge=5, le=1000)] = 5
    queue_retention_days: Annotated[int, Field(ge=1, le=14)] = 4
    dead_letter_retention_days: Annotated[int, Field(ge=1, le=14)] = 14
    record_retention_days: Days = 90
    object_retention_days: Days = 365
    # For the deployments of an upgrade: CloudFormation creates or deletes one index of a table at a time.
    keep_former_index: bool = False
    tenant_index: bool = True
    log_retention_days: Days = 30
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    key_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")] = "screenshots"
    # The same format as in the environment variables: see docs/security.md.
    allow_hosts: TextList = ()
    allow_cidrs: TextList = ()
    allow_ports: IntegerList = ()
    deny: TextList = ()
    secrets: TextList = ()
    max_page_mb: Annotated[int, Field(ge=1, le=4096)] = 256
    # Other accounts whose principals may send requests to the queue, if their own policies allow it too.
    producer_accounts: AccountIds = ()
    # The owner's key for queues, table, bucket and logs. Its policy must let CloudWatch Logs use it.
    kms_key_arn: Annotated[str, Field(pattern=KMS_KEY)] | None = None
    # A managed policy that limits every role, as some organisations require.
    permissions_boundary: Annotated[str, Field(pattern=r"^arn:[\w-]+:iam::(\d{12}|aws):policy/.+$")] | None = None
    # The owner's network for the workers, from where they reach private addresses.
    vpc_id: VpcId | None = None
    subnet_ids: SubnetIds = ()
    # Endpoints for the services of AWS that workers call, where the subnets have no NAT gateway.
    vpc_endpoints: bool = False
    route_table_ids: RouteTableIds = ()
    # NAME=VALUE, for every resource.
    tags: TextList = ()
    # AWS X-Ray, of the function's invocations.
    tracing: bool = False
    alarm_depth: Annotated[int, Field(ge=1)] = 10_000
    alarm_age_seconds: Annotated[int, Field(ge=60)] = 900
    alarm_failed_percent: Annotated[float, Field(gt=0, le=100, strict=False)] = 25.0
    alarm_latency_seconds: Annotated[int, Field(ge=1)] = 900
    alarm_usd_per_hour: Annotated[float, Field(gt=0, strict=False)] = 5.0
    alarm_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None

    @property
    def stack_name(self) -> str:
        """The name of the stack of what can be replaced. That of the storage stack is derived from it."""
        return f"{STACK_NAME}-{self.environment}" if self.environment else STACK_NAME

    @property
    def service(self) -> str:
        """The dimension of the deployment's metrics."""
        return self.stack_name.lower()

    @property
    def has_function(self) -> bool:
        return self.compute is not Compute.FARGATE

    @property
    def has_fleet(self) -> bool:
        return self.compute is not Compute.LAMBDA

    @property
    def backlog_target(self) -> int:
        """Messages waiting per task. More of them add tasks."""
        return self.backlog_per_task or BACKLOG_PER_VCPU * self.task_cpu // 1024

    @property
    def is_provisioned(self) -> bool:
        """Whether the mapping has provisioned pollers."""
        return self.max_pollers > 0

    @property
    def visibility_timeout_seconds(self) -> int:
        """Six times the function's timeout plus the window (AWS Lambda, "Configuring an Amazon SQS queue")."""
        return 6 * self.function_timeout_seconds + self.batch_window_seconds

    @property
    def text_variables(self) -> dict[str, str]:
        """The workers' environment variables whose length depends on the owner; lists without a value are left out."""
        lists: dict[str, tuple[object, ...]] = {
            "STILLFRAME_ALLOW_HOSTS": self.allow_hosts,
            "STILLFRAME_ALLOW_CIDRS": self.allow_cidrs,
            "STILLFRAME_ALLOW_PORTS": self.allow_ports,
            "STILLFRAME_DENY": self.deny,
            "STILLFRAME_SECRETS": self.secrets,
        }
        given = {name: ",".join(map(str, values)) for name, values in lists.items() if values}
        return {"STILLFRAME_KEY_PREFIX": self.key_prefix, **given}

    @property
    def secret_grants(self) -> tuple[SecretGrant, ...]:
        """Which secrets may be sent to which hosts."""
        return tuple(map(SecretGrant.parse, self.secrets))

    @model_validator(mode="after")
    def check_parsable(self) -> Self:
        """Refuse values that a worker could not start with, or that no service accepts."""
        EgressPolicy.of(self.allow_hosts, self.allow_cidrs, self.deny, self.allow_ports)
        for text in self.secrets:
            SecretGrant.parse(text)
        parse_tags(self.tags)
        return self

    @model_validator(mode="after")
    def check_relations(self) -> Self:
        """Refuse values that contradict each other."""
        memory = TASK_MEMORY_MB[self.task_cpu]
        variable_bytes = sum(len(name) + len(value.encode()) for name, value in self.text_variables.items())
        steps = f"{memory[0]} to {memory[-1]} in steps of {memory.step}"
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
            # Otherwise a success would name an image that is gone.
            "objectRetentionDays must not be below recordRetentionDays": (
                self.object_retention_days >= self.record_retention_days
            ),
            "maxConcurrency must not be above reservedConcurrency (or set reservedConcurrency to 0)": (
                self.is_provisioned
                or not self.reserved_concurrency
                or self.max_concurrency <= self.reserved_concurrency
            ),
            "minPollers needs maxPollers, the number of pollers at most": self.is_provisioned or not self.min_pollers,
            "minPollers must be 2 or more, and not above maxPollers": (
                not self.is_provisioned or 2 <= self.min_pollers <= self.max_pollers
            ),
            "maxPollers times 10 must not be above reservedConcurrency (or set reservedConcurrency to 0)": (
                not self.reserved_concurrency or self.max_pollers * CONCURRENCY_PER_POLLER <= self.reserved_concurrency
            ),
            "tenantIndex must be true where api or watches is on: keys, tenants' lists and watches are found by it": (
                self.tenant_index or not (self.api or self.watches)
            ),
            "tracing needs a function (compute lambda or both): a task has no X-Ray daemon": (
                self.has_function or not self.tracing
            ),
            "image is built already: baseImage, debianSnapshot and caBundle have no effect on it": (
                self.image is None or not (self.base_image or self.debian_snapshot or self.ca_bundle)
            ),
            "vpcId and subnetIds go together": (self.vpc_id is None) == (not self.subnet_ids),
            "vpcEndpoints needs vpcId, and routeTableIds of its subnets": (
                not self.vpc_endpoints or (self.vpc_id is not None and bool(self.route_table_ids))
            ),
            # A function without a VPC and the fleet's own network have no route to a private address.
            "allowCidrs needs vpcId and subnetIds: only in your network do workers reach private addresses": (
                not self.allow_cidrs or self.vpc_id is not None
            ),
            # A table of a stack without a region cannot name a key.
            "kmsKeyArn needs account and region, those of the key": (
                self.kms_key_arn is None or f":{self.region}:{self.account}:" in self.kms_key_arn
            ),
            "minTasks must not be above maxTasks": self.min_tasks <= self.max_tasks,
            "stepCpuPercent must be above cpuPercent": self.step_cpu_percent > self.cpu_percent,
            f"allowHosts, allowCidrs, allowPorts, deny, secrets and keyPrefix take {variable_bytes} bytes of a "
            f"function's environment variables, and {MAX_VARIABLE_BYTES} is the maximum (allow a network instead of "
            "its hosts, or use compute=fargate)": not self.has_function or variable_bytes <= MAX_VARIABLE_BYTES,
            f"taskMemoryMb with taskCpu {self.task_cpu} must be {steps}": self.task_memory_mb in memory,
        }
        broken = [rule for rule, holds in relations.items() if not holds]
        if broken:
            raise ValueError("; ".join(broken))
        return self

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """The preset named by `stillframe:size`, overridden by every other `stillframe:` value.

        With `stillframe:environment`, the values in that environment's file come before the preset's. Raises
        ConfigError, which names the value that is wrong.
        """
        given = {
            key.removeprefix(CONTEXT_PREFIX): value for key, value in context.items() if key.startswith(CONTEXT_PREFIX)
        }
        if COMPUTE_KEY in context:
            given.setdefault(COMPUTE_KEY, context[COMPUTE_KEY])
        if ENVIRONMENT_KEY in given:
            given = {**read_environment(str(given[ENVIRONMENT_KEY])), **given}
        return cls.of(given)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The preset named by `size`, overridden by the other values. Raises ConfigError."""
        given = dict(values)
        size = given.pop(SIZE_KEY, "small")
        if size not in PRESETS:
            raise ConfigError(f"{CONTEXT_PREFIX}{SIZE_KEY}: must be one of {', '.join(PRESETS)}, not {size!r}")
        try:
            return cls.model_validate({**PRESETS[size], **given})
        except ValidationError as error:
            raise ConfigError("; ".join(_problem(item) for item in error.errors())) from error


def _problem(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = ", ".join(sorted([SIZE_KEY, *(to_camel(field) for field in DeployConfig.model_fields)]))
        return f"{CONTEXT_PREFIX}{name} is unknown; expected one of {known}"
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{CONTEXT_PREFIX}{name}: {message}, not {item['input']!r}" if name else message
