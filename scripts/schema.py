"""Writes the JSON schema of the render options to docs/options.schema.json."""

from __future__ import annotations

import json
from pathlib import Path

from stillframe.request.options import RenderOptions

PATH = Path(__file__).parents[1] / "docs/options.schema.json"


def schema() -> str:
    """The schema as text: JSON Schema 2020-12, with wire names."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **RenderOptions.model_json_schema()}
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema())
