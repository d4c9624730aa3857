"""Either client for programs that use asyncio."""

from __future__ import annotations

import asyncio
from typing import Any

from stillframe.client.base import PATIENCE_SECONDS, Client, Sent
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record


class AsyncClient:
    """The methods of another client, each in a thread of its own: what it waits for is the network."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def send(self, url: str, **request: Any) -> Sent:
        """As Client.send."""
        return await asyncio.to_thread(self._client.send, url, **request)

    async def send_request(self, request: CaptureRequest) -> Sent:
        """As Client.send_request."""
        return await asyncio.to_thread(self._client.send_request, request)

    async def record(self, screenshot_id: str) -> Record:
        """As Client.record."""
        return await asyncio.to_thread(self._client.record, screenshot_id)

    async def image(self, screenshot_id: str) -> bytes:
        """As Client.image."""
        return await asyncio.to_thread(self._client.image, screenshot_id)

    async def extra(self, screenshot_id: str, kind: str) -> bytes:
        """As Client.extra."""
        return await asyncio.to_thread(self._client.extra, screenshot_id, kind)

    async def shot(self, screenshot_id: str, name: str) -> bytes:
        """As Client.shot."""
        return await asyncio.to_thread(self._client.shot, screenshot_id, name)

    async def wait(self, screenshot_id: str, seconds: float = PATIENCE_SECONDS) -> Record:
        """As Client.wait."""
        return await asyncio.to_thread(self._client.wait, screenshot_id, seconds)

    async def capture(self, url: str, *, seconds: float = PATIENCE_SECONDS, **request: Any) -> bytes:
        """As Client.capture."""
        return await asyncio.to_thread(self._client.capture, url, seconds=seconds, **request)
