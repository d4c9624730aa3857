"""The file of one environment, which its owner commits: `environments/NAME.toml` has its values by their names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ENVIRONMENTS = Path(__file__).resolve().parent.parent / "environments"
ENVIRONMENT_KEY = "environment"
# A part of the names of CloudFormation stacks, which have letters, digits and hyphens.
MAX_NAME_CHARS = 31
ENVIRONMENT_NAME = rf"^[a-z][a-z0-9-]{{0,{MAX_NAME_CHARS - 1}}}$"


class ConfigError(Exception):
    """A value of a deployment is unknown or wrong. The message names it and the values that are possible."""


def read_environment(name: str) -> dict[str, Any]:
    """The values of an environment. Raises ConfigError if there is no such environment, or its file is malformed."""
    if not re.match(ENVIRONMENT_NAME, name):
        raise ConfigError(
            f"the name of an environment has up to 31 of a-z, 0-9 and -, and begins with a-z, not {name!r}"
        )
    path = ENVIRONMENTS / f"{name}.toml"
    shown = f"environments/{path.name}"
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        others = ", ".join(sorted(each.stem for each in ENVIRONMENTS.glob("*.toml")))
        raise ConfigError(
            f"there is no {shown}: write it, with environments/example.toml as an example (there are: {others})"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{shown}: {error}") from error
    if ENVIRONMENT_KEY in values:
        raise ConfigError(f"{shown}: {ENVIRONMENT_KEY} is the name of the file, and must not be a value in it")
    return values
