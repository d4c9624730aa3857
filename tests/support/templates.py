"""Templates in a form that the emulator accepts."""

from __future__ import annotations

import json
from typing import Any

# Types for which MiniStack refuses a template; cfn-lint and the tests of the templates check them.
UNKNOWN_TYPES = frozenset({"AWS::Logs::QueryDefinition"})


def deployable(template: dict[str, Any]) -> str:
    """The template as JSON, without the resource types that the emulator does not know."""
    resources = {name: each for name, each in template["Resources"].items() if each["Type"] not in UNKNOWN_TYPES}
    return json.dumps({**template, "Resources": resources})
