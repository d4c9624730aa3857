"""The call depth below the handler, in frames of this project, with the stacks of threads and tasks joined."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe_renderer.chromium.transport import PipeSession
from stillframe_renderer.runtime import Runtime
from tests.conftest import MakeCloud
from tests.support.events import event_of
from tests.support.fakes import FakeContext
from tests.support.workers import ROOT, SOURCES

MAX_FRAMES_TO_PUT_OBJECT = 9
MAX_FRAMES_TO_SCREENSHOT = 15
FOLDERS = tuple(str(ROOT / each) for each in SOURCES)


def own_frames(frame: FrameType | None) -> Iterator[str]:
    """The project's frames of a stack, innermost first."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(FOLDERS):
            yield f"{Path(frame.f_code.co_filename).stem}: {frame.f_code.co_qualname}"
        frame = frame.f_back


def waiting_frames(task: asyncio.Task[Any]) -> Iterator[str]:
    """The project's frames of a waiting task, outermost first."""
    waiting: Any = task.get_coro()
    while getattr(waiting, "cr_frame", None) is not None:
        yield from own_frames_of_one(waiting.cr_frame)
        waiting = waiting.cr_await


def own_frames_of_one(frame: FrameType) -> list[str]:
    return list(own_frames(frame))[:1]


class Trace:
    """The frames between the handler and the two calls, outermost first."""

    def __init__(self) -> None:
        self._above_thread: list[str] = []
        self._thread: int | None = None
        self.to_put_object: list[str] = []
        self.to_screenshot: list[str] = []

    def submitted(self) -> None:
        """A record is submitted to its thread."""
        self._above_thread = list(own_frames(sys._getframe(1)))[::-1]

    def began(self) -> None:
        """The thread of the record begins."""
        self._thread = threading.get_ident()

    def put_object(self) -> None:
        self.to_put_object = [*self._above_thread, *list(own_frames(sys._getframe(1)))[::-1]]

    def screenshot(self) -> None:
        """Called on the browsers' event loop, for which the record's thread and the task that started this one wait."""
        assert self._thread is not None
        thread = list(own_frames(sys._current_frames()[self._thread]))[::-1]
        (outer,) = [each for each in asyncio.all_tasks() if "BrowserPool.capture" in repr(each.get_coro())]
        here = list(own_frames(sys._getframe(1)))[::-1]
        self.to_screenshot = [*self._above_thread, *thread, *waiting_frames(outer), *here]


@pytest.fixture
def trace(make_cloud: MakeCloud, site: str, chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trace]:
    """One capture by a real worker, traced where it changes threads and where it ends."""
    cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=site, STILLFRAME_CHROMIUM=chromium)
    runtime = Runtime.build(cloud.settings, cloud.clients, [])
    trace = Trace()
    submit, process = runtime.handler._pool.submit, runtime.handler._capture.process
    put_object, send = cloud.clients.s3.put_object, PipeSession.send

    def traced_submit(*arguments: Any) -> Any:
        trace.submitted()
        return submit(*arguments)

    def traced_process(*arguments: Any) -> Any:
        trace.began()
        return process(*arguments)

    def traced_put(**arguments: Any) -> Any:
        trace.put_object()
        return put_object(**arguments)

    def traced_send(session: PipeSession, method: str, params: Any = None) -> Any:
        if method == "Page.captureScreenshot":
            trace.screenshot()
        return send(session, method, params)

    monkeypatch.setattr(runtime.handler._pool, "submit", traced_submit)
    monkeypatch.setattr(runtime.handler._capture, "process", traced_process)
    monkeypatch.setattr(cloud.clients.s3, "put_object", traced_put)
    monkeypatch.setattr(PipeSession, "send", traced_send)
    body = CaptureRequest(url=f"http://{site}/colour?hex=00aa00", request_id="deep").to_body()
    try:
        assert runtime.handler.handle(event_of(body), FakeContext()) == {"batchItemFailures": []}  # type: ignore[arg-type]
        yield trace
    finally:
        runtime.close()


@pytest.mark.filterwarnings("ignore:There is no current event loop:DeprecationWarning")
def test_few_frames_lie_between_the_handler_and_its_effects(trace: Trace) -> None:
    # Given / When a page is captured
    # Then the stack down to the object is short, and begins and ends in the right functions
    assert trace.to_put_object[0] == "batch: BatchHandler.handle"
    assert trace.to_put_object[-1] == "store: ImageStore._write"
    assert len(trace.to_put_object) <= MAX_FRAMES_TO_PUT_OBJECT, "\n".join(trace.to_put_object)
    # And so is the stack down to the screenshot
    assert trace.to_screenshot[-1] == "camera: Camera._take"
    assert len(trace.to_screenshot) <= MAX_FRAMES_TO_SCREENSHOT, "\n".join(trace.to_screenshot)
