"""The AWS calls that commands and workers make in processes of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .workers import SOURCE_PATH

HOOKS = Path(__file__).with_name("recording")


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call of an operation, with the parameters that tell its resource, and the HTTP status of the answer."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    status: int

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


class Recording:
    """A file to which processes append their calls."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def exports(self) -> dict[str, str]:
        """The variables with which a process records its calls."""
        return {"PYTHONPATH": f"{HOOKS}{os.pathsep}{SOURCE_PATH}", "RECORDED_CALLS": str(self._path)}

    def calls(self) -> list[RecordedCall]:
        return [RecordedCall(**json.loads(line)) for line in self._path.read_text().splitlines()]
