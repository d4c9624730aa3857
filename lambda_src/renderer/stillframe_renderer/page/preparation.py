"""What a page is told before it begins; it answers once it has begun."""

from __future__ import annotations

import asyncio
from typing import Any

from pyppeteer.connection import CDPSession
from pyppeteer.errors import NetworkError

from stillframe.errors import CaptureError


class Preparation:
    """Commands to one page, in their order, and what it makes of them."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._told: list[tuple[asyncio.Future[Any], CaptureError | None]] = []

    def tell(self, method: str, parameters: dict[str, Any] | None = None, refusal: CaptureError | None = None) -> None:
        """Send a command now. `refusal` is what it means when the browser will not have it."""
        self.expect(self._session.send(method, parameters), refusal)

    def expect(self, answer: asyncio.Future[Any], refusal: CaptureError | None = None) -> None:
        """Take an answer of another session into the account."""
        self._told.append((answer, refusal))

    async def heard(self) -> None:
        """Return when all was done. Raises the refusal of a command that was refused, or its NetworkError."""
        for answer, refusal in self._told:
            try:
                await answer
            except NetworkError as error:
                if refusal is None:
                    raise
                raise refusal from error
