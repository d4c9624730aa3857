"""Rendering in tests: engines, deadlines, results and errors."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stillframe.clock import Deadline, SystemClock
from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError
from stillframe.image.render_result import RenderResult
from stillframe.request.options import RenderOptions
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard

TABS = 6
# For a capture that shares the machine with others. How long it takes is not what such a test is about.
SHARED_SECONDS = 60


@contextlib.contextmanager
def local_engine(chromium: str, *sites: str, policy: EgressPolicy | None = None) -> Iterator[RenderEngine]:
    """An engine whose browser may reach these sites on this machine, or whatever the given policy allows."""
    guard = EgressGuard(policy or EgressPolicy.of(sites))
    running = RenderEngine(functools.partial(Chromium.launch, chromium), guard)
    try:
        yield running
    finally:
        running.close()


def deadline(seconds: float = 20) -> Deadline:
    clock = SystemClock()
    return Deadline(clock.now_ms() + int(seconds * 1000), clock)


def render(engine: RenderEngine, url: str, seconds: float = 20, **options: Any) -> RenderResult:
    """Render with options given by their wire names."""
    return engine.render(url, RenderOptions.parse(options), deadline(seconds))


def render_error(engine: RenderEngine, url: str, seconds: float = 20, **options: Any) -> CaptureError:
    """The error of a render that must fail."""
    with pytest.raises(CaptureError) as refused:
        render(engine, url, seconds, **options)
    return refused.value


def render_all(engine: RenderEngine, urls: Mapping[str, str], **options: Any) -> dict[str, RenderResult | CaptureError]:
    """Render many pages with the same options, several at once; returns the result or error of each."""
    return render_each(engine, {name: (url, options) for name, url in urls.items()})


def render_each(
    engine: RenderEngine, pages: Mapping[str, tuple[str, dict[str, Any]]]
) -> dict[str, RenderResult | CaptureError]:
    """Like `render_all`, but each page has its own options."""
    with ThreadPoolExecutor(TABS) as pool:
        futures = {name: pool.submit(outcome_of, engine, url, **options) for name, (url, options) in pages.items()}
        return {name: future.result() for name, future in futures.items()}


def outcome_of(engine: RenderEngine, url: str, **options: Any) -> RenderResult | CaptureError:
    """The result of the render, or its error. Others may run at the same time."""
    try:
        return render(engine, url, SHARED_SECONDS, **options)
    except CaptureError as error:
        return error
