"""Resolves the references in synthesised templates to the ARNs and names that the resources would have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .needed_permissions import PARTITION, REGION, arn

Template = Mapping[str, Any]
# The hash that CDK appends to the path of a resource.
HASH_LENGTH = 8
# "Actions, resources, and condition keys" of each service: the service and the form of the ARN.
FORMS = {
    "AWS::SQS::Queue": ("sqs", "{}"),
    "AWS::DynamoDB::GlobalTable": ("dynamodb", "table/{}"),
    "AWS::S3::Bucket": ("s3", "{}"),
    "AWS::Lambda::Function": ("lambda", "function:{}"),
    "AWS::SNS::Topic": ("sns", "{}"),
    "AWS::ECS::Service": ("ecs", "service/{}"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "secret:{}"),
    "AWS::IAM::Role": ("iam", "role/{}"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{}:*"),
}
# "AWS resource and property types reference", return values: Ref is the ARN of these, and the name of others.
REF_IS_ARN = {"AWS::SNS::Topic", "AWS::ECS::Service", "AWS::SecretsManager::Secret"}


class References:
    """The resources of templates that export values to each other.

    `names` are those of the resources that exist, by logical id without its hash. Another resource is named by its id.
    """

    def __init__(self, templates: Mapping[str, Template], account: str, names: Mapping[str, str]) -> None:
        self._account = account
        self._names = names
        self._resources = {
            name: each for template in templates.values() for name, each in template["Resources"].items()
        }
        self._exports = {
            output["Export"]["Name"]: output["Value"]
            for template in templates.values()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    def resolve(self, value: Any) -> Any:
        """The value without references, at any depth. Raises NotImplementedError for a function not known here."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((key, argument),) = value.items()
            if key == "Ref" or key.startswith("Fn::"):
                return self._call(key, argument)
        return {key: self.resolve(each) for key, each in value.items()}

    def _call(self, function: str, argument: Any) -> Any:
        if function == "Ref":
            return self._ref(argument)
        if function == "Fn::GetAtt" and argument[1] in ("Arn", "TopicArn"):
            return self._arn(argument[0])
        if function == "Fn::GetAtt" and argument[1] == "StreamArn":
            return f"{self._arn(argument[0])}/stream/its-label"
        if function == "Fn::Join":
            separator, parts = argument
            return separator.join(self.resolve(parts))
        if function == "Fn::Sub" and isinstance(argument, str):
            return re.sub(r"\$\{([\w:]+)\}", lambda found: self._ref(found[1]), argument)
        if function == "Fn::ImportValue":
            return self.resolve(self._exports[self.resolve(argument)])
        raise NotImplementedError(f"{function} of {argument}")

    def _ref(self, name: str) -> str:
        pseudo = {"AWS::Partition": PARTITION, "AWS::Region": REGION, "AWS::AccountId": self._account}
        if name in pseudo:
            return pseudo[name]
        return self._arn(name) if self._resources[name]["Type"] in REF_IS_ARN else self._name(name)

    def _name(self, logical_id: str) -> str:
        return self._names.get(logical_id[:-HASH_LENGTH], logical_id)

    def _arn(self, logical_id: str) -> str:
        service, form = FORMS[self._resources[logical_id]["Type"]]
        return arn(service, self._account, form.format(self._name(logical_id)))
