"""How the fleet scales: by the messages waiting per task, and by the CPU and memory of its tasks."""

from __future__ import annotations

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from .config import DeployConfig
from .storage_stack import StorageStack

# With no task running, the expression has no value, and the policy does nothing.
BACKLOG_EXPRESSION = "waiting / running"
# A step above the CPU utilisation at which tasks are added, in percentage points, twice as many are.
STEP_POINTS = 10

Metric = scaling.CfnScalingPolicy.TargetTrackingMetricStatProperty


def scale_tasks(
    scope: Construct, cluster: ecs.ICluster, service: ecs.FargateService, storage: StorageStack, config: DeployConfig
) -> None:
    """Add the scaling policies. The one that wants the most tasks wins; scaling in requires that all want fewer."""
    out, back = Duration.seconds(config.scale_out_seconds), Duration.seconds(config.scale_in_seconds)
    target = service.auto_scale_task_count(min_capacity=config.min_tasks, max_capacity=config.max_tasks)
    target.scale_on_cpu_utilization(
        "Cpu", target_utilization_percent=config.cpu_percent, scale_out_cooldown=out, scale_in_cooldown=back
    )
    target.scale_on_memory_utilization(
        "Memory", target_utilization_percent=config.memory_percent, scale_out_cooldown=out, scale_in_cooldown=back
    )
    # Reacts faster than a target tracking policy to a CPU utilisation far above the target.
    target.scale_on_metric(
        "Steps",
        metric=service.metric_cpu_utilization(period=Duration.minutes(1), statistic="Average"),
        scaling_steps=[
            scaling.ScalingInterval(lower=config.step_cpu_percent, change=50),
            scaling.ScalingInterval(lower=config.step_cpu_percent + STEP_POINTS, change=100),
        ],
        adjustment_type=scaling.AdjustmentType.PERCENT_CHANGE_IN_CAPACITY,
        cooldown=out,
        evaluation_periods=1,
        min_adjustment_magnitude=1,
    )
    scalable = cast(scaling.ScalableTarget, target.node.find_child("Target"))
    scaling.CfnScalingPolicy(
        scope,
        "Backlog",
        policy_name=f"{scope.node.addr}-backlog",
        policy_type="TargetTrackingScaling",
        scaling_target_id=scalable.scalable_target_id,
        target_tracking_scaling_policy_configuration=_backlog_per_task(cluster, service, storage, config),
    )


def _backlog_per_task(
    cluster: ecs.ICluster, service: ecs.FargateService, storage: StorageStack, config: DeployConfig
) -> scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty:
    """Messages waiting divided by running tasks ("Scaling based on Amazon SQS", for ECS)."""
    cfn = scaling.CfnScalingPolicy
    waiting = _metric("ApproximateNumberOfMessagesVisible", "AWS/SQS", "Sum", QueueName=storage.queue.queue_name)
    running = _metric(
        "RunningTaskCount",
        "ECS/ContainerInsights",
        "Average",
        ClusterName=cluster.cluster_name,
        ServiceName=service.service_name,
    )
    return cfn.TargetTrackingScalingPolicyConfigurationProperty(
        target_value=config.backlog_target,
        scale_out_cooldown=config.scale_out_seconds,
        scale_in_cooldown=config.scale_in_seconds,
        customized_metric_specification=cfn.CustomizedMetricSpecificationProperty(
            metrics=[
                cfn.TargetTrackingMetricDataQueryProperty(id="waiting", metric_stat=waiting, return_data=False),
                cfn.TargetTrackingMetricDataQueryProperty(id="running", metric_stat=running, return_data=False),
                cfn.TargetTrackingMetricDataQueryProperty(
                    id="backlog", expression=BACKLOG_EXPRESSION, label="backlog per task", return_data=True
                ),
            ]
        ),
    )


def _metric(name: str, namespace: str, stat: str, **dimensions: str) -> Metric:
    cfn = scaling.CfnScalingPolicy
    return Metric(
        metric=cfn.TargetTrackingMetricProperty(
            metric_name=name,
            namespace=namespace,
            dimensions=[
                cfn.TargetTrackingMetricDimensionProperty(name=key, value=value) for key, value in dimensions.items()
            ],
        ),
        stat=stat,
    )
