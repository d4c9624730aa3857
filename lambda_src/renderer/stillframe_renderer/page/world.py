"""Where scripts run in a page: beside it, where it cannot have replaced what they use, or as part of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from pyppeteer.connection import CDPSession
from pyppeteer.errors import NetworkError

from stillframe.errors import CaptureTimeout, InvalidRequest, ScriptFailed

WORLD_NAME = "stillframe"
MAX_PROBLEM_CHARS = 200
# What Chromium says when a script's document was replaced.
DOCUMENT_GONE = ("context was destroyed", "Cannot find context", "navigated or closed", "No frame for given id")
DOCUMENTS = 5
PAUSE_SECONDS = 0.1


class World:
    """The main frame's worlds. A world ends with its document, so nothing of it is kept."""

    def __init__(self, session: CDPSession, frame_id: str) -> None:
        self._session = session
        self._frame_id = frame_id

    async def evaluate(self, expression: str) -> Any:
        """Run a script of ours beside the page; returns what it returns, as JSON would have it."""

        async def attempt() -> dict[str, Any]:
            world = await self._session.send(
                "Page.createIsolatedWorld", {"frameId": self._frame_id, "worldName": WORLD_NAME}
            )
            return await self._run(expression, {"contextId": world["executionContextId"]})

        return (await self._in_document(attempt)).get("value")

    async def call(self, function: str, *arguments: Any) -> Any:
        """Call a function of ours with arguments. Raises InvalidRequest when a selector among them is none."""
        text = ", ".join(json.dumps(argument) for argument in arguments)
        attempt = f"try {{ return [await ({function})({text})] }} catch (error) {{ return error.message }}"
        value = await self.evaluate(f"(async () => {{ {attempt} }})()")
        if isinstance(value, str):
            raise InvalidRequest(f"options: {value[:MAX_PROBLEM_CHARS]}")
        return value[0] if value else None

    async def evaluate_in_page(self, expression: str, what: str) -> Any:
        """Run a script of the request's as part of the page. Raises ScriptFailed, which names the option."""
        answer = await self._in_document(lambda: self._run(expression, {"userGesture": True}))
        if "failure" in answer:
            raise ScriptFailed(f"{what}: {answer['failure'][:MAX_PROBLEM_CHARS]}")
        return answer.get("value")

    async def evaluate_within(self, expression: str, seconds: float) -> Any:
        """As `evaluate`, or None when it takes longer; the script itself goes on."""
        try:
            async with asyncio.timeout(seconds):
                return await self.evaluate(expression)
        except TimeoutError:
            return None

    async def _in_document(self, attempt: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """A script whose document goes away under it is run again in the next one."""
        for _ in range(DOCUMENTS):
            try:
                return await attempt()
            except NetworkError as error:
                if not any(sign in str(error) for sign in DOCUMENT_GONE):
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
        raise CaptureTimeout("the page does not stop moving on to other documents")

    async def _run(self, expression: str, where: dict[str, Any]) -> dict[str, Any]:
        answer = await self._session.send(
            "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True, **where}
        )
        details = answer.get("exceptionDetails")
        if details is not None:
            described = details.get("exception", {}).get("description") or details.get("text", "")
            return {"failure": described.splitlines()[0] if described else "it failed"}
        result: dict[str, Any] = answer["result"]
        return result
