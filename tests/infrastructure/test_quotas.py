"""What Lambda, Fargate and a new account's quotas allow: refused or warned of before anything is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Synth, only

LAMBDA_VARIABLE_BYTES = 4096
# Longer than any name or URL that CloudFormation makes for the queues, the table and the bucket.
RESOURCE = "x" * 150


def test_the_longest_variables_that_are_accepted_fit_into_a_function(synth: Synth) -> None:
    # Given lists of the longest total that a deployment accepts
    prefix = "p" * 1000
    deny = ",".join(f"{number:03}.example" for number in range(160))
    context = {"keyPrefix": prefix, "deny": deny, "perHost": 1000, "jobDeadlineSeconds": 50, "logLevel": "WARNING"}
    template = synth(*((f"stillframe:{name}", value) for name, value in context.items()))["Stillframe"]
    # When names and URLs of resources are filled in
    variables = only(template, "AWS::Lambda::Function")["Environment"]["Variables"]
    filled = {name: value if isinstance(value, str) else RESOURCE for name, value in variables.items()}
    # Then they are close to the maximum of Lambda and not above it
    size = sum(len(name) + len(value) for name, value in filled.items())
    assert LAMBDA_VARIABLE_BYTES - 500 < size <= LAMBDA_VARIABLE_BYTES


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({}, []),
        ({"size": "medium"}, []),
        ({"size": "medium", "events": "true", "webhooks": "true"}, ["9 times at once", "2 other functions", "is 10"]),
        ({"size": "large"}, ["136 times at once", "quota is 10"]),
        ({"minPollers": 2, "maxPollers": 2}, ["20 times at once", "quota is 10"]),
        ({"compute": "fargate", "minTasks": 1, "maxTasks": 6}, []),
        ({"compute": "fargate"}, ["20 vCPUs", "quota is 6", "Fargate On-Demand vCPU"]),
        ({"compute": "fargate", "spot": "true"}, ["20 vCPUs", "Fargate Spot vCPU"]),
        ({"maxTasks": 5000}, []),
    ],
)
def test_a_size_above_a_new_accounts_quota_is_warned_of(
    context: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    # Given / When the app is synthesized
    warnings = " ".join(warnings_of(context, tmp_path))
    # Then there is a warning exactly when a quota is exceeded, with the numbers and the name of the quota
    assert bool(warnings) == bool(words)
    assert [word for word in words if word not in warnings] == []


def warnings_of(context: dict[str, Any], folder: Path) -> list[str]:
    from aws_cdk.assertions import Annotations, Match

    from stacks.app import build_app

    values = {f"stillframe:{name}": value for name, value in context.items()}
    app = build_app(values, outdir=str(folder), nag=False)
    stack: Any = app.node.find_child("Stillframe")
    found = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("ack: stillframe:"))
    return [str(each.entry.data) for each in found]
