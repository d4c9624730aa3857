"""The commands that a page gets before its document loads. It answers them once it navigates."""

from __future__ import annotations

import asyncio
from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.errors import CaptureError, InvalidRequest

from ..chromium.transport import CommandRefused


class Preparation:
    """Commands to one page, in order, and the answers to them."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._answers: list[tuple[asyncio.Future[Any], CaptureError | None]] = []

    def send(self, method: str, parameters: dict[str, Any] | None = None, refusal: CaptureError | None = None) -> None:
        """Send a command now. `refusal` is the error to raise if the browser refuses it."""
        self.track(self._session.send(method, parameters), refusal)

    def track(self, answer: asyncio.Future[Any], refusal: CaptureError | None = None) -> None:
        """Confirm the answer of another session together with those of this page."""
        self._answers.append((answer, refusal))

    async def confirm(self) -> None:
        """Return when every command has succeeded.

        If the browser refused one, raises its `refusal`, or else an InvalidRequest that names the command: all commands
        come from the request's options, so another attempt or another browser would refuse them again.
        """
        for answer, refusal in self._answers:
            try:
                await answer
            except CommandRefused as error:
                raise refusal or InvalidRequest(f"options: the browser refuses {error}") from error
