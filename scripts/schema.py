"""Writes the JSON schemas of the render options and of an environment's file to docs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stacks.config import DeployConfig
from stacks.environment import ENVIRONMENT_KEY
from stacks.presets import PRESETS, SIZE_KEY
from stillframe.request.options import RenderOptions

ROOT = Path(__file__).resolve().parents[1]
DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def options_schema() -> dict[str, Any]:
    """The schema of the render options, with wire names."""
    return {**DIALECT, **RenderOptions.model_json_schema()}


def environment_schema() -> dict[str, Any]:
    """The schema of `environments/NAME.toml`. Every value is optional: a preset has those that have no default."""
    schema = DeployConfig.model_json_schema()
    del schema["required"], schema["properties"][ENVIRONMENT_KEY]
    schema["properties"] = {SIZE_KEY: {"enum": list(PRESETS), "default": "small"}, **schema["properties"]}
    return {**DIALECT, **schema, "title": "Environment", "description": "One deployment: see docs/deploy.md."}


SCHEMAS = {"docs/options.schema.json": options_schema, "docs/environment.schema.json": environment_schema}


def text_of(schema: dict[str, Any]) -> str:
    """The schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, schema in SCHEMAS.items():
        (ROOT / path).write_text(text_of(schema()))
