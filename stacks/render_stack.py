"""What can be replaced at any time: the function, its event source, the alarms."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from .alarms import Alarms
from .config import DeployConfig
from .renderer import Renderer
from .storage_stack import StorageStack


class RenderStack(Stack):
    """Everything without state."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: DeployConfig, storage: StorageStack, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.renderer = Renderer(self, "Renderer", config=config, storage=storage)
        self.alarms = Alarms(self, "Alarms", config=config, storage=storage, function=self.renderer.function)
        outputs = {
            "FunctionName": self.renderer.function.function_name,
            "AlarmTopicArn": self.alarms.topic.topic_arn,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
