"""Templates as the emulator takes them."""

from __future__ import annotations

import json
from typing import Any

# What MiniStack refuses a template for; cfn-lint and the tests of the templates look at it.
UNKNOWN_TYPES = frozenset({"AWS::Logs::QueryDefinition"})


def deployable(template: dict[str, Any]) -> str:
    """The template without what the emulator does not know; everything else as it is."""
    resources = {name: each for name, each in template["Resources"].items() if each["Type"] not in UNKNOWN_TYPES}
    return json.dumps({**template, "Resources": resources})
