"""A defence, and how to remove it."""

from __future__ import annotations

from dataclasses import dataclass

RENDERER = "lambda_src/renderer/stillframe_renderer"
GUARD = f"{RENDERER}/guard"
SHARED = "layers/stillframe/python/stillframe"


@dataclass(frozen=True)
class Defence:
    """`present` occurs exactly once in `file`. With `removed` in its place the defence is gone and `test` must fail."""

    name: str
    file: str
    present: str
    removed: str
    test: str
