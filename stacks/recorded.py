"""What a stack was deployed with, which its template says, and how another configuration differs from that.

CloudFormation does not know where a value came from. One that was given on the command line of the last deployment, and
not of this one, goes back to its default without a word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic_core import to_jsonable_python

from .config import DeployConfig

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

METADATA_KEY = "Stillframe"


class NotRecorded(Exception):
    """The stack exists, but its template does not say what it was deployed with."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value of the deployed stack, and the one that would take its place."""

    name: str
    deployed: Any
    wanted: Any

    def __str__(self) -> str:
        return f"{self.name}: {json.dumps(self.deployed)} becomes {json.dumps(self.wanted)}"


def record_of(config: DeployConfig) -> dict[str, Any]:
    """The metadata of a template with this configuration. CloudFormation has no null: what is not set is not there."""
    return {METADATA_KEY: config.model_dump(mode="json", by_alias=True, exclude_none=True)}


def read_record(client: CloudFormationClient, stack_name: str) -> dict[str, Any] | None:
    """What a stack was deployed with, or None if there is no such stack.

    Raises NotRecorded, and ClientError if CloudFormation refuses to say.
    """
    try:
        body: Any = client.get_template(StackName=stack_name)["TemplateBody"]
    except ClientError as error:
        # "GetTemplate": a stack that does not exist is a ValidationError, like other mistakes.
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    template: Mapping[str, Any] = json.loads(body) if isinstance(body, str) else body
    record = template.get("Metadata", {}).get(METADATA_KEY)
    if record is None:
        raise NotRecorded(stack_name)
    return dict(record)


def differences(record: Mapping[str, Any], config: DeployConfig) -> Iterator[Difference]:
    """The values that would change. A setting that is newer than the deployed version had its default."""
    for name, field in DeployConfig.model_fields.items():
        alias = field.alias or name
        wanted = record_of(config)[METADATA_KEY].get(alias)
        deployed = record.get(alias, None if field.is_required() else to_jsonable_python(field.default))
        if deployed != wanted:
            yield Difference(alias, deployed, wanted)
