"""Stacks on the emulator, created as `cdk deploy` does: templates are in a bucket, and one stack follows the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import boto3

from stillframe_cli.emulator import Emulator

from .templates import deployable

CAPABILITIES = ["CAPABILITY_IAM"]
MAX_SECONDS = 30


class Account:
    """An account on the emulator, in which `cdk bootstrap` was run."""

    def __init__(self, emulator: Emulator, account: str) -> None:
        self._endpoint = emulator.endpoint
        # The names of buckets are the same for all accounts.
        self._bucket = f"cdk-assets-{account}"
        # MiniStack uses a 12-digit access key as the account id.
        self._session: Any = boto3.Session(account, "secret", region_name=emulator.exports["AWS_DEFAULT_REGION"])
        self._cloudformation = self.client("cloudformation")
        self.client("s3").create_bucket(Bucket=self._bucket)
        # The templates read the version there.
        self.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String")

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint)

    def deploy(self, templates: Mapping[str, dict[str, Any]]) -> None:
        """Create stacks in this order. Fails with the reason if one is not created."""
        for name, template in templates.items():
            self.client("s3").put_object(Bucket=self._bucket, Key=name, Body=deployable(template))
            # A template of over 51,200 bytes cannot be in the call itself.
            url = f"{self._endpoint}/{self._bucket}/{name}"
            self._cloudformation.create_stack(StackName=name, TemplateURL=url, Capabilities=CAPABILITIES)
            assert self._outcome(name) == "CREATE_COMPLETE", self.failures(name)

    def _outcome(self, name: str) -> str:
        give_up_at = time.monotonic() + MAX_SECONDS
        while time.monotonic() < give_up_at:
            status: str = self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.05)
        return "still in progress"

    def failures(self, name: str) -> list[str]:
        """Why resources of a stack were not created."""
        events = self._cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [each for each in events if "FAILED" in each["ResourceStatus"]]
        return [
            f"{each['ResourceType']} {each['LogicalResourceId']}: {each['ResourceStatusReason']}" for each in failed
        ]

    def resources(self, name: str) -> dict[str, str]:
        """The physical id of each resource of a stack, by its type and logical id."""
        found = self._cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        return {f"{each['ResourceType']} {each['LogicalResourceId']}": each["PhysicalResourceId"] for each in found}

    def exports(self) -> dict[str, str]:
        """The stack of each exported value, by its name."""
        pages = self._cloudformation.get_paginator("list_exports").paginate()
        return {each["Name"]: each["ExportingStackId"].split("/")[1] for page in pages for each in page["Exports"]}
