"""Running scripts in a page: in an isolated world, whose built-ins the page cannot replace, or in the page's own."""

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
# Parts of Chromium's error messages if the document of a script was replaced.
DOCUMENT_REPLACED = ("context was destroyed", "Cannot find context", "navigated or closed", "No frame for given id")
MAX_DOCUMENTS = 5
RETRY_PAUSE_SECONDS = 0.1


class World:
    """Runs scripts in the main frame. A world ends with its document, so a new one is requested for every script."""

    def __init__(self, session: CDPSession, frame_id: str) -> None:
        self._session = session
        self._frame_id = frame_id

    async def evaluate(self, expression: str) -> Any:
        """Run one of our scripts in the isolated world. Returns its result, as JSON types."""

        async def attempt() -> dict[str, Any]:
            world = await self._session.send(
                "Page.createIsolatedWorld", {"frameId": self._frame_id, "worldName": WORLD_NAME}
            )
            return await self._run(expression, {"contextId": world["executionContextId"]})

        answer = await self._in_document(attempt)
        # No page can cause this one.
        assert not str(answer.get("failure")).startswith("SyntaxError"), f"{answer['failure']}: {expression}"
        return answer.get("value")

    async def call(self, function: str, *arguments: Any) -> Any:
        """Call one of our functions with arguments, in the isolated world.

        Raises InvalidRequest if it fails, which only an invalid selector among the arguments causes.
        """
        text = ", ".join(json.dumps(argument) for argument in arguments)
        attempt = f"try {{ return [await ({function})({text})] }} catch (error) {{ return error.message }}"
        value = await self.evaluate(f"(async () => {{ {attempt} }})()")
        if isinstance(value, str):
            raise InvalidRequest(f"options: {value[:MAX_PROBLEM_CHARS]}")
        return value[0] if value else None

    async def evaluate_in_page(self, expression: str, option: str) -> Any:
        """Run a script of the request as part of the page. Raises ScriptFailed, which names the option."""
        answer = await self._in_document(lambda: self._run(expression, {"userGesture": True}))
        if "failure" in answer:
            raise ScriptFailed(f"{option}: {answer['failure'][:MAX_PROBLEM_CHARS]}")
        return answer.get("value")

    async def stop_scripts(self) -> None:
        """Keep the page's own scripts from running any more. Ours still do."""
        await self._session.send("Emulation.setScriptExecutionDisabled", {"value": True})

    async def evaluate_within(self, expression: str, seconds: float) -> Any:
        """Like `evaluate`, but returns None if it takes longer than `seconds`. The script itself keeps running."""
        try:
            async with asyncio.timeout(seconds):
                return await self.evaluate(expression)
        except TimeoutError:
            return None

    async def _in_document(self, attempt: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """Run a script, again in the next document if its own is replaced meanwhile."""
        for _ in range(MAX_DOCUMENTS):
            try:
                return await attempt()
            except NetworkError as error:
                if not any(text in str(error) for text in DOCUMENT_REPLACED):
                    raise
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
        raise CaptureTimeout("the page keeps navigating to other documents")

    async def _run(self, expression: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer = await self._session.send(
            "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True, **parameters}
        )
        details = answer.get("exceptionDetails")
        if details is not None:
            description = details.get("exception", {}).get("description") or details.get("text", "")
            return {"failure": description.splitlines()[0] if description else "the script failed"}
        result: dict[str, Any] = answer["result"]
        return result
