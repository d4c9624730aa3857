"""How a new version takes over: at once, or with a tenth of the work until no alarm has gone off."""

from __future__ import annotations

from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from .alarms import Alarms
from .fleet import Fleet
from .nag import acknowledge
from .renderer import Renderer

# A defect of a version, and not of pages: "Failed captures" may be the fault of whoever sent them.
OF_WORKERS = ("ServiceErrors", "WorkerUnhealthy")
OF_FUNCTION = (*OF_WORKERS, "FunctionErrors")
# Each alarm looks at five minutes.
TRIAL = codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_10_MINUTES


class Canary(Construct):
    """Goes back to the version before when an alarm of workers goes off during a deployment."""

    def __init__(
        self, scope: Construct, construct_id: str, *, alarms: Alarms, renderer: Renderer | None, fleet: Fleet | None
    ) -> None:
        super().__init__(scope, construct_id)
        if renderer is not None and renderer.alias is not None:
            group = codedeploy.LambdaDeploymentGroup(
                self,
                "Function",
                alias=renderer.alias,
                deployment_config=TRIAL,
                alarms=[alarms.by_name[name] for name in OF_FUNCTION],
                auto_rollback=codedeploy.AutoRollbackConfig(failed_deployment=True, deployment_in_alarm=True),
            )
            policy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"
            acknowledge(
                group.role,
                f"AwsSolutions-IAM4[Policy::{policy}]",
                "AWS keeps this policy at what CodeDeploy needs to move an alias.",
            )
        if fleet is not None:
            fleet.service.enable_deployment_alarms(
                [alarms.by_name[name].alarm_name for name in OF_WORKERS],
                behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM,
            )
