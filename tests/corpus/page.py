"""A page of the corpus, with the points of its screenshot that must be green, known from its own geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STYLE = "<style>html,body{margin:0}.g{background:#00aa00}.r{background:#ff0000}.b{display:block;width:100%;height:200px}</style>"
GREEN_TOP = ((640, 100),)
FULL = {"fullPage": True}


@dataclass(frozen=True)
class Page:
    """`green` are points of the screenshot that must be green, `other` points that must not, both in CSS pixels."""

    body: str
    green: tuple[tuple[int, int], ...] = GREEN_TOP
    other: tuple[tuple[int, int], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    head: str = ""

    @property
    def html(self) -> str:
        return f"<!doctype html><meta charset=utf-8><title>corpus</title>{STYLE}{self.head}<body>{self.body}"


IMAGE = "/image?colour=00aa00"
SPACE = "<div style='height:3000px'></div>"
# A page calls `turn(id)` when it is finished.
TURN = "<script>const turn = (id = 'x') => { document.getElementById(id).className = 'b g' }</script>"
RED = "<div id=x class='b r'></div>"


def scripted(code: str, **more: Any) -> Page:
    """A page with a red block that a script turns green."""
    return Page(f"{RED}{TURN}<script>{code}</script>", **more)
