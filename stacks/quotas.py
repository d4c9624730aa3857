"""Warnings about quotas of a new account that a deployment exceeds. An account may have others: nothing is refused."""

from __future__ import annotations

from aws_cdk import Annotations
from constructs import IConstruct

from .config import CONCURRENCY_PER_POLLER, DeployConfig

# Quotas of a new account (Service Quotas: AWS Lambda, "Concurrent executions"; AWS Fargate, "Fargate On-Demand vCPU
# resource count" and "Fargate Spot vCPU resource count").
NEW_ACCOUNT_CONCURRENCY = 10
NEW_ACCOUNT_VCPUS = 6
CPU_UNITS_PER_VCPU = 1024


def warn_of_quotas(scope: IConstruct, config: DeployConfig) -> None:
    """Add a warning to the synthesis for each quota of a new account that the maximum size exceeds."""
    annotations = Annotations.of(scope)
    concurrency = config.max_pollers * CONCURRENCY_PER_POLLER if config.is_provisioned else config.max_concurrency
    # Each of them needs one at least.
    others = sum((config.api, config.events, config.webhooks))
    if config.has_function and concurrency + others > NEW_ACCOUNT_CONCURRENCY:
        beside = f" beside {others} other function{'s' if others > 1 else ''}" if others else ""
        annotations.add_warning_v2(
            "stillframe:concurrency",
            f"The function may run {concurrency} times at once{beside}, and a new account's quota is "
            f"{NEW_ACCOUNT_CONCURRENCY}. Beyond it, Lambda throttles, and a throttled delivery counts as a receive. "
            "Service Quotas: AWS Lambda, 'Concurrent executions'.",
        )
    vcpus = config.max_tasks * config.task_cpu / CPU_UNITS_PER_VCPU
    if config.has_fleet and vcpus > NEW_ACCOUNT_VCPUS:
        kind = "Spot" if config.spot else "On-Demand"
        annotations.add_warning_v2(
            "stillframe:vcpus",
            f"{config.max_tasks} tasks (maxTasks) have {vcpus:g} vCPUs, and a new account's quota is "
            f"{NEW_ACCOUNT_VCPUS}. Beyond it, tasks do not start. "
            f"Service Quotas: AWS Fargate, 'Fargate {kind} vCPU resource count'.",
        )
