"""The context of the app when the CDK command line is not there to hand it over."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"


def context_of(arguments: Sequence[str]) -> dict[str, Any]:
    """The context in cdk.json, overridden by `-c NAME=VALUE` among these arguments. Others are not looked at."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--context", action="append", default=[])
    given, _ = parser.parse_known_args(arguments)
    context: dict[str, Any] = json.loads(CDK_JSON.read_text())["context"]
    for text in given.context:
        name, _, value = text.partition("=")
        context[name] = value
    return context
