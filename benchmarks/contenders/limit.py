"""The limit: the fastest known way to have Chromium take screenshots, with nothing else around it.

DevTools messages in CBOR over a pipe, on a native event loop. Each page has a context of its own, opened while the
previous one is in use, in a low window; it begins with its own document, and all that it has to be told leaves in one
write. No guard, no claim, no record of what the page did, and no waiting except for the load event.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import cbor2
import uvloop

from benchmarks.contenders.job import HEIGHT, WIDTH, Job, is_full_page, report_capture
from stillframe_renderer.chromium.flags import launch_flags

# There is no guard to be the proxy.
GUARD_FLAGS = ("--proxy-server", "--proxy-bypass-list")
# Frames are painted to the window, screenshots are not.
WINDOW = {"width": WIDTH, "height": 8}
SCREEN = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
# It waits for its first command, and its document is never requested.
UNREQUESTED_URL = "http://nowhere.invalid/"
WAIT_FOR_COMMANDS = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True, "filter": [{"type": "page"}]}
PIPE_BYTES = 1 << 20

Command = tuple[str, dict[str, Any]]

# Chromium's dialect of CBOR (third_party/inspector_protocol/crdtp/cbor.h): each map and array is in tag 24, as a byte
# string whose length has four bytes, and binary values are in tag 22.
ENVELOPE = b"\xd8\x18\x5a"
HEADER_BYTES = len(ENVELOPE) + 4
MAP, END = b"\xbf", b"\xff"
# How messages begin after their header.
ANSWER = MAP + cbor2.dumps("id")
LOADED = MAP + cbor2.dumps("method") + cbor2.dumps("Page.loadEventFired")
PAUSED = MAP + cbor2.dumps("method") + cbor2.dumps("Fetch.requestPaused")
ATTACHED = MAP + cbor2.dumps("method") + cbor2.dumps("Target.attachedToTarget")


def encode(number: int, method: str, parameters: dict[str, Any], session: str | None) -> bytes:
    """A command as the browser reads it."""
    fields = [*map(cbor2.dumps, ("id", number, "method", method, "params"))]
    fields.append(_envelop(cbor2.dumps(parameters, indefinite_containers=True)))
    fields += map(cbor2.dumps, ("sessionId", session)) if session is not None else ()
    return _envelop(b"".join((MAP, *fields, END)))


def decode(message: bytes) -> Any:
    """A message of the browser, with its binary values as bytes."""
    return cbor2.loads(message, semantic_decoders=DECODERS)


def _envelop(encoded: bytes) -> bytes:
    return ENVELOPE + len(encoded).to_bytes(4, "big") + encoded


DECODERS = {24: lambda content, _: decode(content), 22: lambda content, _: content}


class Pipe(asyncio.Protocol):
    """Sends commands, and receives their answers and the events that are needed."""

    _writer: asyncio.WriteTransport

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._received = bytearray()
        self.loaded: dict[str, asyncio.Event] = {}
        # The session of each target.
        self.sessions: dict[str, str] = {}

    async def open(self, commands: int, answers: int) -> None:
        loop = asyncio.get_running_loop()
        self._writer, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(commands, "wb", 0))
        await loop.connect_read_pipe(lambda: self, os.fdopen(answers, "rb", 0))

    def send(self, *commands: Command, session: str | None = None) -> list[asyncio.Future[Any]]:
        """Send commands in one write. Returns the answers to come."""
        messages, answers = [], []
        for method, parameters in commands:
            number = next(self._numbers)
            messages.append(encode(number, method, parameters, session))
            answers.append(asyncio.get_running_loop().create_future())
            self._answers[number] = answers[-1]
        self._writer.write(b"".join(messages))
        return answers

    async def ask(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        """Send one command. Returns its result."""
        return await self.send((method, parameters), session=session)[0]

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= HEADER_BYTES:
            end = HEADER_BYTES + int.from_bytes(self._received[len(ENVELOPE) : HEADER_BYTES], "big")
            if len(self._received) < end:
                return
            message = bytes(self._received[:end])
            del self._received[:end]
            self._on_message(message)

    def _on_message(self, message: bytes) -> None:
        if message.startswith(ANSWER, HEADER_BYTES):
            answer = decode(message)
            self._answers.pop(answer["id"]).set_result(answer.get("result"))
        elif message.startswith(LOADED, HEADER_BYTES):
            self.loaded[decode(message)["sessionId"]].set()
        elif message.startswith(PAUSED, HEADER_BYTES):
            event = decode(message)
            request = {"requestId": event["params"]["requestId"]}
            self.send(("Fetch.continueRequest", request), session=event["sessionId"])
        elif message.startswith(ATTACHED, HEADER_BYTES):
            event = decode(message)["params"]
            self.sessions[event["targetInfo"]["targetId"]] = event["sessionId"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page in a context of its own that waits for its document."""

    # What else it is told before it loads.
    more_commands: ClassVar[tuple[Command, ...]] = ()

    context: str
    session: str
    target: str
    loaded: asyncio.Event

    @classmethod
    async def open(cls, pipe: Pipe) -> Page:
        context = (await pipe.ask("Target.createBrowserContext", {}))["browserContextId"]
        target = await pipe.ask("Target.createTarget", {"url": UNREQUESTED_URL, "browserContextId": context, **WINDOW})
        session = pipe.sessions.pop(target["targetId"])
        loaded = pipe.loaded[session] = asyncio.Event()
        return cls(context, session, target["targetId"], loaded)

    async def capture(self, pipe: Pipe, url: str) -> int:
        """Take the screenshot and close the page. Returns the size of the image in bytes."""
        pipe.send(
            ("Page.enable", {}),
            ("Emulation.setDeviceMetricsOverride", SCREEN),
            *self.more_commands,
            ("Page.navigate", {"url": url}),
            ("Runtime.runIfWaitingForDebugger", {}),
            session=self.session,
        )
        await self.loaded.wait()
        await self.measure(pipe)
        options: dict[str, Any] = {"format": "png", "optimizeForSpeed": True}
        if is_full_page(url):
            content = (await pipe.ask("Page.getLayoutMetrics", {}, self.session))["cssContentSize"]
            options |= {"clip": {**content, "x": 0, "y": 0, "scale": 1}, "captureBeyondViewport": True}
        image = await pipe.ask("Page.captureScreenshot", options, self.session)
        pipe.send(("Target.disposeBrowserContext", {"browserContextId": self.context}))
        del pipe.loaded[self.session]
        return len(image["data"])

    async def measure(self, pipe: Pipe) -> None:
        """Called once the page has loaded, before its screenshot."""


async def main(page_class: type[Page] = Page) -> None:
    """Run the job with pages of this class."""
    job = Job.read()
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()
    for pipe_end in (from_us, to_us):
        fcntl.fcntl(pipe_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def inherit() -> None:
        os.dup2(to_browser, 3)
        os.dup2(from_browser, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [flag for flag in launch_flags() if not flag.startswith(GUARD_FLAGS)]
        process = subprocess.Popen(  # noqa: ASYNC220  # before anything else runs on the loop
            [job.chromium, *flags, f"--user-data-dir={profile}"],
            preexec_fn=inherit,  # noqa: PLW1509  # there is no other thread
            close_fds=False,
            stderr=subprocess.DEVNULL,
        )
        pipe = Pipe()
        await pipe.open(from_us, to_us)
        await pipe.ask("Target.setAutoAttach", WAIT_FOR_COMMANDS)
        urls = iter(job.urls)

        async def tab() -> None:
            following = asyncio.create_task(page_class.open(pipe))
            for url in urls:
                started = time.monotonic()
                page = await following
                following = asyncio.create_task(page_class.open(pipe))
                report_capture(url, started, await page.capture(pipe, url))
            with contextlib.suppress(asyncio.CancelledError):
                following.cancel()
                await following

        await asyncio.gather(*(tab() for _ in range(job.tabs)))
        process.kill()
        process.wait()


if __name__ == "__main__":
    uvloop.run(main())
