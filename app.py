"""The CDK app: `cdk synth`, `cdk diff` and `cdk deploy` run this file."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "layers/stillframe/python"))

from stacks.app import build_app  # needs the layer on the path
from stacks.config import ConfigError

try:
    build_app().synth()
except ConfigError as error:
    sys.exit(f"stillframe: {error}")
