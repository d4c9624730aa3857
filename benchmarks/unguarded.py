"""A guard that does nothing: for measuring what the real one costs, and for showing that attacks succeed without it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.guard.session import GuardSession


class DirectSession(GuardSession):
    """Lets the browser connect directly."""

    @property
    def url(self) -> str:
        return "direct://"


class NoGuard(EgressGuard):
    """Opens sessions without a proxy."""

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[GuardSession]:
        yield DirectSession(self.policy, self._resolver, self._limits, set())
