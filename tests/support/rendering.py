"""Rendering in tests: an engine, a deadline, a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_src.renderer.engine import RenderEngine
from stillframe.artifact import Screenshot
from stillframe.clock import Deadline, SystemClock
from stillframe.errors import CaptureError
from stillframe.options import RenderOptions


def deadline(seconds: float = 20) -> Deadline:
    clock = SystemClock()
    return Deadline(clock.now_ms() + int(seconds * 1000), clock)


def render(engine: RenderEngine, url: str, seconds: float = 20, **options: Any) -> Screenshot:
    """Render with wire options."""
    return engine.render(url, RenderOptions.parse(options), deadline(seconds))


def refusal(engine: RenderEngine, url: str, seconds: float = 20, **options: Any) -> CaptureError:
    """The error of a render that must fail."""
    with pytest.raises(CaptureError) as refused:
        render(engine, url, seconds, **options)
    return refused.value
