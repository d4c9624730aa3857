"""Templates in a form that the emulator accepts."""

from __future__ import annotations

import json
from typing import Any

_SCALING = "MiniStack has no Application Auto Scaling; moto's API of it is what `scale` is tested with."
_CANARY = "MiniStack has no CodeDeploy; the alias that it would move is deployed."
# Types for which MiniStack refuses a template, with the reason; cfn-lint and the tests of the templates check them.
UNKNOWN_TYPES = {
    "AWS::ApplicationAutoScaling::ScalableTarget": _SCALING,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _SCALING,
    "AWS::CodeDeploy::Application": _CANARY,
    "AWS::CodeDeploy::DeploymentGroup": _CANARY,
    "AWS::EC2::SecurityGroupIngress": "MiniStack takes rules only inside a security group.",
    "AWS::ECS::ClusterCapacityProviderAssociations": "MiniStack gives every cluster both providers of Fargate.",
    "AWS::Logs::QueryDefinition": "MiniStack has no saved queries.",
}


def deployable(template: dict[str, Any]) -> str:
    """The template as JSON, without the resource types that the emulator does not know, nor what waits for them."""
    resources = {name: each for name, each in template["Resources"].items() if each["Type"] not in UNKNOWN_TYPES}
    for name, each in resources.items():
        if "DependsOn" in each:
            waits_for = [each["DependsOn"]] if isinstance(each["DependsOn"], str) else each["DependsOn"]
            resources[name] = {**each, "DependsOn": [other for other in waits_for if other in resources]}
    return json.dumps({**template, "Resources": resources})
