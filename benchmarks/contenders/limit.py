"""The limit: DevTools messages over a pipe and nothing else. No guard, no library, waits for the load event only."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import subprocess
import tempfile
import time
from typing import Any

from benchmarks.contenders.job import HEIGHT, WIDTH, Job, is_full_page, report_capture
from stillframe_renderer.chromium.flags import launch_flags

MAX_MESSAGE_BYTES = 1 << 29
# Flags that do not apply: there is no guard to be the proxy, and the pipe uses JSON.
STILLFRAME_FLAGS = ("--proxy-server", "--proxy-bypass-list", "--remote-debugging-pipe")


class Pipe:
    """Sends commands and receives their answers and the load events."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.loaded: dict[str, asyncio.Event] = {}
        self._task = asyncio.create_task(self._receive())

    async def send(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._writer.write(json.dumps(message).encode() + b"\0")
        return await answer

    async def _receive(self) -> None:
        while True:
            message = json.loads((await self._reader.readuntil(b"\0"))[:-1])
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message.get("result"))
            elif message["method"] == "Page.loadEventFired":
                self.loaded[message["sessionId"]].set()


async def capture(pipe: Pipe, url: str) -> int:
    """Take one screenshot in a context of its own. Returns its size in bytes."""
    context = (await pipe.send("Target.createBrowserContext", disposeOnDetach=True))["browserContextId"]
    target = await pipe.send("Target.createTarget", url="about:blank", browserContextId=context)
    session = (await pipe.send("Target.attachToTarget", targetId=target["targetId"], flatten=True))["sessionId"]
    loaded = pipe.loaded[session] = asyncio.Event()
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    await asyncio.gather(
        pipe.send("Page.enable", session), pipe.send("Emulation.setDeviceMetricsOverride", session, **size)
    )
    loaded.clear()
    await pipe.send("Page.navigate", session, url=url)
    await loaded.wait()
    options: dict[str, Any] = {"format": "png", "optimizeForSpeed": True}
    if is_full_page(url):
        content = (await pipe.send("Page.getLayoutMetrics", session))["cssContentSize"]
        options |= {"clip": {**content, "x": 0, "y": 0, "scale": 1}, "captureBeyondViewport": True}
    answer = await pipe.send("Page.captureScreenshot", session, **options)
    data = base64.b64decode(answer["data"])
    del pipe.loaded[session]
    asyncio.ensure_future(pipe.send("Target.disposeBrowserContext", browserContextId=context))  # noqa: RUF006
    return len(data)


async def main() -> None:
    job = Job.read()
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()

    def inherit() -> None:
        os.dup2(to_browser, 3)
        os.dup2(from_browser, 4)

    with tempfile.TemporaryDirectory() as profile:
        flags = [flag for flag in launch_flags() if not flag.startswith(STILLFRAME_FLAGS)]
        process = subprocess.Popen(  # noqa: ASYNC220  # before anything else runs on the loop
            [job.chromium, *flags, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=inherit,  # noqa: PLW1509  # there is no other thread
            close_fds=False,
            stderr=subprocess.DEVNULL,
        )
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=MAX_MESSAGE_BYTES)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(to_us, "rb", 0))
        writer, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(from_us, "wb", 0))
        pipe = Pipe(reader, writer)
        urls = iter(job.urls)

        async def tab() -> None:
            for url in urls:
                started = time.monotonic()
                report_capture(url, started, await capture(pipe, url))

        await asyncio.gather(*(tab() for _ in range(job.tabs)))
        process.kill()
        process.wait()


if __name__ == "__main__":
    asyncio.run(main())
