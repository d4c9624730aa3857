"""What the owner wants on everything that a deployment consists of: tags, and a permissions boundary on each role."""

from __future__ import annotations

from aws_cdk import Tags
from aws_cdk import aws_iam as iam
from constructs import Construct

from .config import DeployConfig
from .owner_tags import APPLICATION_TAG, parse_tags


def apply_owner_rules(scope: Construct, place: Construct, config: DeployConfig) -> None:
    """Apply them to all of `scope`. The boundary is imported in `place`, a construct of one of its stacks."""
    if config.permissions_boundary is not None:
        boundary = iam.ManagedPolicy.from_managed_policy_arn(place, "Boundary", config.permissions_boundary)
        iam.PermissionsBoundary.of(scope).apply(boundary)
    for name, value in {APPLICATION_TAG: "stillframe", **parse_tags(config.tags)}.items():
        Tags.of(scope).add(name, value)
