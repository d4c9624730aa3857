"""cfn-lint on templates, in this process: for regions old and new, and for the partitions of China and GovCloud."""

from __future__ import annotations

import functools

from cfnlint.api import ManualArgs, lint

REGIONS = [
    "us-east-1", "eu-central-1", "ap-northeast-1", "ap-southeast-2", "ap-southeast-7", "mx-central-1", "cn-north-1",
    "us-gov-west-1",
]  # fmt: skip
# Rules that are ignored, with the reason.
IGNORED = {"W3005": "A redundant dependency: CDK itself writes out that a function depends on its role."}


@functools.cache
def lint_findings(template: str) -> tuple[str, ...]:
    """What cfn-lint reports about a template in JSON, for any of the regions, each with its rule."""
    found = lint(template, config=ManualArgs(regions=REGIONS, ignore_checks=[*IGNORED]))
    return tuple(f"{each.rule.id} {'/'.join(map(str, each.path or ()))}: {each.message}" for each in found)
