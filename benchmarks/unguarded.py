"""No guard at all: what the guard is measured against, and what attacks are shown to get through."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.guard.session import GuardSession


class DirectSession(GuardSession):
    """Lets the browser connect by itself."""

    @property
    def url(self) -> str:
        return "direct://"


class NoGuard(EgressGuard):
    """Guards nothing: what the guard is measured against."""

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[GuardSession]:
        yield DirectSession(self.policy, self._resolver, self._limits, set())
