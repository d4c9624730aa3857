"""The small functions beside the renderer: a folder of `lambda_src` on the shared layer, as all of them are set up."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from .config import DeployConfig
from .image import REPOSITORY_ROOT
from .layer import ARCHITECTURES, RUNTIME, shared_layer
from .nag import acknowledge
from .storage_stack import StorageStack
from .worker import worker_environment


def zip_function(
    scope: Construct,
    folder: str,
    *,
    description: str,
    memory_mb: int,
    timeout_seconds: int,
    config: DeployConfig,
    storage: StorageStack,
    role: iam.Role,
    log_group: logs.ILogGroup,
    environment: Mapping[str, str],
    handler: str = "handler",
) -> lambda_.Function:
    """The function of `lambda_src/FOLDER`, whose package is `stillframe_FOLDER`.

    `environment` is what it has besides a worker's variables, and `handler` the module of its handler.
    """
    function = lambda_.Function(
        scope,
        "Function",
        description=description,
        runtime=RUNTIME,
        architecture=ARCHITECTURES[config.architecture],
        handler=f"stillframe_{folder}.{handler}.handler",
        code=lambda_.Code.from_asset(str(REPOSITORY_ROOT / "lambda_src" / folder), exclude=["**/__pycache__"]),
        layers=[shared_layer(scope, "Layer", config.architecture)],
        memory_size=memory_mb,
        timeout=Duration.seconds(timeout_seconds),
        tracing=lambda_.Tracing.ACTIVE if config.tracing else None,
        role=role,
        log_group=log_group,
        environment={**worker_environment(config, storage), **environment},
    )
    acknowledge(function, "AwsSolutions-L1", "The Python of the image, so that the shared package runs on one.")
    if config.tracing:
        acknowledge(role, "AwsSolutions-IAM5[Resource::*]", "The actions of X-Ray do not support resources.")
    return function
