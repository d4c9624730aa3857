"""The image of function and tasks: built from this checkout, or one that is in a registry already."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aws_cdk import DockerBuildSecret, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .config import DeployConfig
from .values import Architecture

REPOSITORY_ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = "lambda_src/renderer/Dockerfile"
PLATFORMS = {
    Architecture.ARM64: ecr_assets.Platform.LINUX_ARM64,
    Architecture.X86: ecr_assets.Platform.LINUX_AMD64,
}
# Two archives: the release, and its security updates. A snapshot's signatures have expired.
SNAPSHOT = (
    "deb [check-valid-until=no] http://snapshot.debian.org/archive/debian/{0} trixie main\n"
    "deb [check-valid-until=no] http://snapshot.debian.org/archive/debian-security/{0} trixie-security main"
)
IN_REGISTRY = re.compile(r"(?P<account>\d+)\.dkr\.ecr\.(?P<region>[\w-]+)\.[\w.]+/(?P<name>[^@]+)@(?P<digest>.+)")


def function_code(scope: Construct, config: DeployConfig) -> lambda_.DockerImageCode:
    """The image as a function has it."""
    if config.image is not None:
        repository, digest = _in_registry(scope, config.image)
        return lambda_.DockerImageCode.from_ecr(repository, tag_or_digest=digest)
    return lambda_.DockerImageCode.from_image_asset(str(REPOSITORY_ROOT), **_build(config))


def task_image(scope: Construct, config: DeployConfig) -> ecs.ContainerImage:
    """The image as a task has it."""
    if config.image is not None:
        repository, digest = _in_registry(scope, config.image)
        return ecs.ContainerImage.from_ecr_repository(repository, digest)
    return ecs.ContainerImage.from_asset(str(REPOSITORY_ROOT), **_build(config))


def _build(config: DeployConfig) -> dict[str, Any]:
    """How the image is built, for function and tasks alike."""
    return {
        "file": DOCKERFILE,
        "platform": PLATFORMS[config.architecture],
        "exclude": _exclusions(),
        "build_args": _build_arguments(config),
        "build_secrets": _build_secrets(config),
    }


def _exclusions() -> list[str]:
    """The patterns in .dockerignore: files that are not part of the image must not change its hash either."""
    return (REPOSITORY_ROOT / ".dockerignore").read_text().splitlines()


def _build_arguments(config: DeployConfig) -> dict[str, str] | None:
    """They are part of the image's hash: another snapshot is another image."""
    arguments = {}
    if config.base_image is not None:
        arguments["BASE"] = config.base_image
    if config.debian_snapshot is not None:
        arguments["DEBIAN_SOURCES"] = SNAPSHOT.format(config.debian_snapshot)
    return arguments or None


def _build_secrets(config: DeployConfig) -> dict[str, str] | None:
    return {"ca": DockerBuildSecret.from_src(config.ca_bundle)} if config.ca_bundle is not None else None


def _in_registry(scope: Construct, image: str) -> tuple[ecr.IRepository, str]:
    found = IN_REGISTRY.fullmatch(image)
    assert found is not None
    arn = Stack.of(scope).format_arn(
        service="ecr",
        region=found["region"],
        account=found["account"],
        resource="repository",
        resource_name=found["name"],
    )
    repository = ecr.Repository.from_repository_attributes(
        scope, "Repository", repository_arn=arn, repository_name=found["name"]
    )
    return repository, found["digest"]
