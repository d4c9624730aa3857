"""The function that renders, with its role, its log group and its event source."""

from __future__ import annotations

from aws_cdk import Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .config import DeployConfig
from .image import function_code
from .nag import acknowledge
from .network import OwnerNetwork, attach_interfaces
from .storage_stack import StorageStack
from .values import Architecture, Rollout
from .worker import (
    acknowledge_images,
    worker_environment,
    worker_logs,
    worker_statements,
    write_logs,
)

ARCHITECTURES = {
    Architecture.ARM64: lambda_.Architecture.ARM_64,
    Architecture.X86: lambda_.Architecture.X86_64,
}


class Renderer(Construct):
    """A container-image function that consumes the queue, with exactly the permissions it uses."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeployConfig,
        storage: StorageStack,
        network: OwnerNetwork | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._storage = storage
        self._network = network
        self.log_group = worker_logs(self, config)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="The permissions of the Stillframe renderer",
        )
        for statement in (*worker_statements(config, storage), write_logs(self.log_group)):
            self.role.add_to_policy(statement)
        if network is not None:
            self.role.add_to_policy(attach_interfaces())
        self.function = self._function()
        # The name of the version that receives, so that a deployment can move from one to the next.
        self.alias = (
            lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)
            if config.rollout is Rollout.CANARY
            else None
        )
        self.mapping = lambda_.EventSourceMapping(
            self,
            "FromQueue",
            target=self.alias or self.function,
            event_source_arn=storage.queue.queue_arn,
            batch_size=config.batch_size,
            max_batching_window=Duration.seconds(config.batch_window_seconds),
            # A mapping has either a maximum concurrency or provisioned pollers.
            max_concurrency=None if config.is_provisioned else config.max_concurrency,
            provisioned_poller_config=lambda_.ProvisionedPollerConfig(
                minimum_pollers=config.min_pollers, maximum_pollers=config.max_pollers
            )
            if config.is_provisioned
            else None,
            report_batch_item_failures=True,
        )
        acknowledge_images(self.role, self, config, storage)
        if config.tracing or network is not None:
            acknowledge(
                self.role,
                "AwsSolutions-IAM5[Resource::*]",
                "The actions of X-Ray and of network interfaces do not support resources.",
            )

    def _function(self) -> lambda_.DockerImageFunction:
        config, storage = self._config, self._storage
        return lambda_.DockerImageFunction(
            self,
            "Function",
            description="Stillframe: renders web pages from the queue into the bucket, one image per screenshot id",
            code=function_code(self, config),
            architecture=ARCHITECTURES[config.architecture],
            memory_size=config.memory_mb,
            ephemeral_storage_size=Size.mebibytes(config.tmp_mb),
            timeout=Duration.seconds(config.function_timeout_seconds),
            reserved_concurrent_executions=config.reserved_concurrency or None,
            # A message that waits for its host, or that met a fault of the worker, comes back as a copy, which Lambda
            # would take for a recursive loop after about 16 times. There is never more than one copy that goes on
            # waiting, slots have leases, and after ten faults a message is copied no more.
            recursive_loop=lambda_.RecursiveLoop.ALLOW,
            tracing=lambda_.Tracing.ACTIVE if config.tracing else None,
            vpc=self._network.vpc if self._network else None,
            vpc_subnets=self._network.subnets if self._network else None,
            security_groups=[self._network.outward] if self._network else None,
            role=self.role,
            log_group=self.log_group,
            environment={
                **worker_environment(config, storage),
                "STILLFRAME_TABS": str(config.tabs),
                "STILLFRAME_JOB_DEADLINE_SECONDS": str(config.job_deadline_seconds),
            },
        )
