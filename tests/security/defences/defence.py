"""A defence and its absence."""

from __future__ import annotations

from dataclasses import dataclass

RENDERER = "lambda_src/renderer/stillframe_renderer"
GUARD = f"{RENDERER}/guard"
SHARED = "layers/stillframe/python/stillframe"


@dataclass(frozen=True)
class Defence:
    """`present` occurs once in `file`; with `removed` in its place the defence is gone."""

    name: str
    file: str
    present: str
    removed: str
    test: str
