"""The function's module as in a new execution environment, in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from stillframe_renderer import handler as entry
from stillframe_renderer.runtime import Runtime


@contextlib.contextmanager
def new_environment(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> Iterator[None]:
    """Let the first event build a worker from these variables. What was built is closed in the end."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    built: list[Runtime] = []
    build = Runtime.build

    def remember(*arguments: Any, **named: Any) -> Runtime:
        built.append(build(*arguments, **named))
        return built[-1]

    monkeypatch.setattr(Runtime, "build", remember)
    entry.worker.cache_clear()
    yield
    for runtime in built:
        runtime.close()
    entry.worker.cache_clear()
