"""The configuration of a deployment: clear errors before anything is synthesized."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.config import DeployConfig
from stacks.environment import ConfigError
from stacks.presets import PRESETS


@pytest.mark.parametrize("size", list(PRESETS))
def test_a_preset_is_complete(size: str) -> None:
    config = DeployConfig.from_context({"stillframe:size": size})
    assert config.visibility_timeout_seconds == 6 * config.function_timeout_seconds + config.batch_window_seconds


def test_context_values_from_the_command_line_are_text() -> None:
    config = DeployConfig.from_context({"stillframe:memoryMb": "4096", "stillframe:batchWindowSeconds": "5"})
    assert (config.memory_mb, config.visibility_timeout_seconds) == (4096, 365)


def test_context_of_other_applications_is_ignored() -> None:
    assert DeployConfig.from_context({"@aws-cdk/core:x": True, "availability-zones": "x"}) == DeployConfig.from_context(
        {}
    )


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"size": "huge"}, ["stillframe:size", "'huge'", "small, medium, large"]),
        ({"memroyMb": 4096}, ["stillframe:memroyMb is unknown", "memoryMb"]),
        ({"compute": "ec2"}, ["stillframe:compute", "fargate"]),
        ({"taskCpu": 3000}, ["stillframe:taskCpu", "1024"]),
        ({"taskMemoryMb": 9000}, ["taskMemoryMb with taskCpu 1024", "2048 to 8192 in steps of 1024"]),
        ({"taskMemoryMb": 2500}, ["taskMemoryMb", "in steps of 1024"]),
        ({"taskCpu": 4096, "taskMemoryMb": 31_744}, ["8192 to 30720"]),
        ({"minTasks": 0}, ["stillframe:minTasks", "greater than or equal to 1"]),
        ({"minTasks": 30}, ["minTasks must not be above maxTasks"]),
        ({"tenantIndex": False, "api": True}, ["tenantIndex must be true where api or watches is on"]),
        ({"objectRetentionDays": 1_000_000}, ["objectRetentionDays", "36500"]),
        ({"maxPollers": 50}, ["minPollers"]),
        ({"minPollers": 2, "maxPollers": 50, "reservedConcurrency": 2}, ["maxPollers times 10", "reservedConcurrency"]),
        ({"minPollers": 4}, ["minPollers needs maxPollers"]),
        ({"deny": ",".join(f"host-{number}.example" for number in range(200))}, ["deny", "3000", "compute=fargate"]),
        ({"memoryMb": 1023}, ["stillframe:memoryMb", "1024", "1023"]),
        ({"memoryMb": 10_241}, ["stillframe:memoryMb", "10240"]),
        ({"memoryMb": "much"}, ["stillframe:memoryMb", "'much'"]),
        ({"architecture": "mips"}, ["stillframe:architecture", "arm64", "x86"]),
        ({"maxReceiveCount": 4}, ["stillframe:maxReceiveCount", "5"]),
        ({"maxConcurrency": 1}, ["stillframe:maxConcurrency", "2"]),
        ({"allowCidrs": "10.0.0.0/99"}, ["10.0.0.0/99"]),
        ({"secrets": "not-an-arn@example.com"}, ["not-an-arn@example.com", "ARN@host"]),
        ({"batchSize": 11}, ["stillframe:batchSize", "10"]),
        ({"jobDeadlineSeconds": 60}, ["jobDeadlineSeconds must be below functionTimeoutSeconds"]),
        ({"deadLetterRetentionDays": 4}, ["deadLetterRetentionDays must be above queueRetentionDays"]),
        ({"recordRetentionDays": 14}, ["recordRetentionDays must be above deadLetterRetentionDays"]),
        ({"objectRetentionDays": 89}, ["objectRetentionDays must not be below recordRetentionDays"]),
        ({"recordRetentionDays": 366}, ["objectRetentionDays must not be below recordRetentionDays"]),
        ({"maxConcurrency": 3, "reservedConcurrency": 2}, ["maxConcurrency must not be above reservedConcurrency"]),
        ({"keyPrefix": "/a"}, ["stillframe:keyPrefix"]),
        ({"alarmEmail": "nobody"}, ["stillframe:alarmEmail"]),
    ],
)
def test_a_wrong_value_is_named_in_the_error(context: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        DeployConfig.from_context({f"stillframe:{name}": value for name, value in context.items()})
    assert [word for word in words if word not in str(refused.value)] == []


def test_objects_may_expire_as_soon_as_their_records() -> None:
    config = DeployConfig.from_context({"stillframe:objectRetentionDays": 90})
    assert config.object_retention_days == config.record_retention_days


def test_without_reserved_concurrency_the_maximum_is_free() -> None:
    config = DeployConfig.from_context({"stillframe:maxConcurrency": 50})
    assert (config.max_concurrency, config.reserved_concurrency) == (50, 0)


def test_the_variables_of_a_task_may_be_longer_than_those_of_a_function() -> None:
    names = ",".join(f"host-{number}.example" for number in range(200))
    config = DeployConfig.from_context({"stillframe:compute": "fargate", "stillframe:deny": names})
    assert len(config.deny) == 200
