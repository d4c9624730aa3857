"""The CDK app: `cdk diff` and `cdk deploy` run this file. Without the CDK command line, it takes `-c NAME=VALUE`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "layers/stillframe/python"))

from stacks.app import build_app  # needs the layer on the path
from stacks.context import context_of
from stacks.environment import ConfigError

try:
    # The command line hands its context over in this variable.
    build_app(None if "CDK_CONTEXT_JSON" in os.environ else context_of(sys.argv[1:])).synth()
except ConfigError as error:
    sys.exit(f"stillframe: {error}")
