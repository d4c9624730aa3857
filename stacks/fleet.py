"""The fleet: the same image as Fargate tasks, scaled by the messages waiting per task."""

from __future__ import annotations

from typing import cast

from aws_cdk import CfnElement, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from .config import DeployConfig
from .image import task_image
from .nag import acknowledge, place_of
from .network import OwnerNetwork, public_network
from .scaling import scale_tasks
from .storage_stack import StorageStack
from .values import Architecture
from .worker import (
    acknowledge_images,
    worker_environment,
    worker_logs,
    worker_statements,
)

ARCHITECTURES = {
    Architecture.ARM64: ecs.CpuArchitecture.ARM64,
    Architecture.X86: ecs.CpuArchitecture.X86_64,
}
# Longer than a job by default: on SIGTERM, a consumer finishes its captures or hands their messages back.
STOP_SECONDS = 120
# The part of this time that is reserved for handing messages back.
HAND_BACK_SECONDS = 15
MIN_ON_DEMAND_TASKS = 1
# Unhealthy for five minutes in a row, a task is replaced (10 is the most that ECS allows): an outage of AWS that is
# shorter replaces none. A consumer that cannot work ends itself after six.
HEALTH_CHECK = ecs.HealthCheck(
    command=["CMD", "python3", "-m", "stillframe_cli.heartbeat"],
    interval=Duration.seconds(30),
    timeout=Duration.seconds(10),
    retries=10,
    start_period=Duration.seconds(60),
)
# A consumer only writes browser profiles, to this directory. The rest of its file system is read-only. The Dockerfile
# declares a volume at the same path: without it, only root could write to the volume.
SCRATCH = "/tmp"  # noqa: S108  # in a container of its own


class Fleet(Construct):
    """A service of consumers without inbound traffic, in a network of its own or in the owner's."""

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
        self.log_group = worker_logs(self, config)
        self._owners = network
        self.vpc: ec2.IVpc = network.vpc if network else public_network(self)
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=self.vpc,
            # Counts the running tasks, by which the backlog is divided.
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        # CDK would add it during synthesis, when nothing can depend on it any more; under the same ids.
        self._capacity = ecs.CfnClusterCapacityProviderAssociations(
            self.cluster,
            "Cluster",
            cluster=self.cluster.cluster_name,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategy=[],
        )
        self.task = self._task()
        self.service = self._service()
        scale_tasks(self, self.cluster, self.service, storage, config)

    def _task(self) -> ecs.FargateTaskDefinition:
        config, storage = self._config, self._storage
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=config.task_cpu,
            memory_limit_mib=config.task_memory_mb,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ARCHITECTURES[config.architecture],
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            volumes=[ecs.Volume(name="scratch")],
        )
        container = task.add_container(
            "Consumer",
            image=task_image(self, config),
            command=[
                *("stillframe", "consume", "--continuous", "--log-format", "json"),
                *("--grace", str(STOP_SECONDS - HAND_BACK_SECONDS)),
            ],
            environment={
                **worker_environment(config, storage),
                "STILLFRAME_TABS": str(config.task_tabs),
                "STILLFRAME_JOB_DEADLINE_SECONDS": str(config.job_deadline_seconds),
                "STILLFRAME_MAX_BROWSER_MB": str(int(config.task_memory_mb * 0.75)),
            },
            logging=ecs.LogDrivers.aws_logs(stream_prefix="consumer", log_group=self.log_group),
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(STOP_SECONDS),
            health_check=HEALTH_CHECK,
            linux_parameters=ecs.LinuxParameters(self, "Linux", init_process_enabled=True),
        )
        container.add_mount_points(ecs.MountPoint(container_path=SCRATCH, source_volume="scratch", read_only=False))
        for statement in worker_statements(config, storage):
            task.add_to_task_role_policy(statement)
        task.add_to_task_role_policy(
            iam.PolicyStatement(
                sid="ProtectTaskWhileRendering",
                # The agent of the task calls them ("Amazon ECS task scale-in protection endpoint").
                actions=["ecs:UpdateTaskProtection", "ecs:GetTaskProtection"],
                resources=[self.cluster.arn_for_tasks("*")],
            )
        )
        acknowledge_images(task.task_role, self, config, storage)  # type: ignore[arg-type]
        self._acknowledge(task)
        return task

    def _acknowledge(self, task: ecs.FargateTaskDefinition) -> None:
        acknowledge(
            task, "AwsSolutions-ECS2", "The variables contain resource names and settings; secrets are references."
        )
        cluster = Stack.of(self).get_logical_id(cast(CfnElement, self.cluster.node.default_child))
        acknowledge(
            task.task_role,
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:{place_of(self)}:task/<{cluster}>/*]",
            "A task protects itself from being stopped; its id is not known before it runs.",
        )
        acknowledge(
            task.obtain_execution_role(),
            "AwsSolutions-IAM5[Resource::*]",
            "ecr:GetAuthorizationToken does not support resources; pulling the image is limited to its repository.",
        )

    def _service(self) -> ecs.FargateService:
        config = self._config
        spot = [ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=1)] if config.spot else []
        service = ecs.FargateService(
            self,
            "Service",
            cluster=self.cluster,
            task_definition=self.task,
            # The base tasks cannot be interrupted, even with Spot.
            capacity_provider_strategies=[
                ecs.CapacityProviderStrategy(
                    capacity_provider="FARGATE", base=MIN_ON_DEMAND_TASKS, weight=0 if config.spot else 1
                ),
                *spot,
            ],
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            assign_public_ip=self._owners is None,
            vpc_subnets=self._owners.subnets
            if self._owners
            else ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            security_groups=[
                self._owners.outward
                if self._owners
                else ec2.SecurityGroup(
                    self, "Outward", vpc=self.vpc, description="Stillframe consumers: out, and nothing in"
                )
            ],
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            enable_ecs_managed_tags=True,
        )
        # So that the service is created after them and deleted before them. A provider in use cannot be removed, and
        # without a subnet's route to AWS a task neither starts nor hands its messages back.
        service.node.add_dependency(self._capacity, *self.vpc.public_subnets)
        return service

    @property
    def running_tasks(self) -> cloudwatch.Metric:
        """The number of running tasks of the service."""
        return cloudwatch.Metric(
            namespace="ECS/ContainerInsights",
            metric_name="RunningTaskCount",
            dimensions_map={"ClusterName": self.cluster.cluster_name, "ServiceName": self.service.service_name},
            statistic="Average",
            period=Duration.minutes(1),
        )
