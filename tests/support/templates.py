"""Templates as the emulator takes them."""

from __future__ import annotations

import json
from typing import Any

# What MiniStack refuses a template for; cfn-lint and the tests of the templates look at it.
UNKNOWN_TYPES = frozenset({"AWS::Logs::QueryDefinition"})


def deployable(template: dict[str, Any]) -> str:
    """The template without what the emulator does not know; everything else as it is."""
    resources = {name: each for name, each in template["Resources"].items() if _is_known(each)}
    return json.dumps({**template, "Resources": resources})


def _is_known(resource: dict[str, Any]) -> bool:
    """Whether it is of a known type, and no alarm on an expression over several metrics."""
    is_expression = resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    return resource["Type"] not in UNKNOWN_TYPES and not is_expression
