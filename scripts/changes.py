"""Shows what a deployment would change of the configuration that the stack was deployed with, and asks.

    python -m scripts.changes [-c NAME=VALUE]... [--yes]

Ends with status 0 if nothing changes, if there is no stack yet, or if the answer is yes.
"""

from __future__ import annotations

import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from stacks.config import DeployConfig
from stacks.context import context_of
from stacks.environment import ConfigError
from stacks.recorded import Difference, NotRecorded, differences, read_record


def changes(config: DeployConfig) -> list[str]:
    """A line for each value that would change. Raises ClientError or BotoCoreError."""
    client: Any = boto3.client("cloudformation", region_name=config.region)
    try:
        record = read_record(client, config.stack_name)
    except NotRecorded:
        return ["the deployed version did not record its configuration: compare the values in `make diff`"]
    found: list[Difference] = [] if record is None else list(differences(record, config))
    return [str(each) for each in found]


def main(arguments: list[str]) -> int:
    try:
        config = DeployConfig.from_context(context_of(arguments))
        lines = changes(config)
    except (ConfigError, ClientError, BotoCoreError) as error:
        print(f"stillframe: {error}", file=sys.stderr)
        return 1
    if not lines:
        return 0
    print(f"{config.stack_name} would be deployed with other values than it has:", file=sys.stderr)
    for line in lines:
        print(f"  {line}", file=sys.stderr)
    if not config.environment:
        print("Values are kept for the next deployment in a file: environments/NAME.toml, ENV=NAME.", file=sys.stderr)
    if "--yes" in arguments:
        return 0
    if not sys.stdin.isatty():
        print("Nothing is deployed. Add YES=1 to deploy with these values.", file=sys.stderr)
        return 1
    print("Deploy with these values? [y/N] ", end="", file=sys.stderr, flush=True)
    return 0 if sys.stdin.readline().strip().lower() in ("y", "yes") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
