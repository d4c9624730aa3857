"""One capture in one page: guard, navigate, wait, measure, picture."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from dataclasses import dataclass
from typing import Any

import imagesize

from stillframe.artifact import PageFacts, Screenshot
from stillframe.egress import EgressPolicy
from stillframe.errors import (
    CaptureError,
    CaptureTimeout,
    ConnectionFailed,
    ContentRefused,
    StatusRefused,
    StatusUnavailable,
)
from stillframe.options import ImageFormat, RenderOptions, WaitUntil
from stillframe.options.access import reveal
from stillframe.request import without_credentials

from .guard.session import GuardSession
from .interception import Interception
from .navigation import Navigation
from .scripts import FINISH_VIEW, MEASURE, SCROLL_THROUGH
from .tab import Tab

WORLD_NAME = "stillframe"
MAX_TITLE_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Measures:
    """What the page says of itself: sizes in CSS pixels."""

    title: str
    url: str
    width: int
    height: int


class PageCapture:
    """The steps of one capture on one fresh tab."""

    def __init__(self, tab: Tab, url: str, policy: EgressPolicy, guard: GuardSession, options: RenderOptions) -> None:
        self._session = tab.session
        self._frame_id = tab.frame_id
        self._url = url
        self._policy = policy
        self._guard = guard
        self._options = options
        self._navigation = Navigation(tab.session, tab.frame_id)
        headers = options.origin_headers()
        self._interception = Interception(tab.session, tab.frame_id, policy, guard, headers)

    async def run(self) -> Screenshot:
        """Capture the page. Raises a CaptureError; the caller bounds the time."""
        started = time.monotonic()
        self._policy.check_page(self._url)
        await self._prepare()
        try:
            async with asyncio.timeout(self._options.timeout_ms / 1000):
                await self._navigation.go(self._url)
                self._check_status()
                await self._navigation.ready(self._options.wait_until)
        except TimeoutError as error:
            # A page that is too large may be busy with what it got: waiting again would not make it smaller.
            raise self._guard.exceeded or CaptureTimeout(
                f"the page did not reach {self._options.wait_until.value} within {self._options.timeout_ms} ms"
            ) from error
        except CaptureError as error:
            raise self._failure(error) from error
        self._check_size()
        await asyncio.sleep(self._options.delay_ms / 1000)
        if self._options.full_page:
            await self._evaluate(SCROLL_THROUGH % self._options.height_cap)
        if self._options.wait_until is not WaitUntil.DOM_CONTENT_LOADED:
            await self._evaluate(FINISH_VIEW)
        measures = await self._measure()
        self._check_size()
        data = await self._picture(measures)
        width, height = imagesize.get(io.BytesIO(data))
        return Screenshot(
            data=data,
            format=self._options.format,
            width=width,
            height=height,
            facts=self._facts(measures),
            render_ms=round((time.monotonic() - started) * 1000),
        )

    async def _prepare(self) -> None:
        """Viewport, cookies, interception and dialogs, before the page has a chance to run."""
        session, viewport = self._session, self._options.viewport
        session.on("Page.javascriptDialogOpening", self._on_dialog)
        await asyncio.gather(
            self._interception.start(),
            session.send("Network.setCookies", {"cookies": self._cookies()}),
            session.send(
                "Emulation.setDeviceMetricsOverride",
                {
                    "width": viewport.width,
                    "height": viewport.height,
                    "deviceScaleFactor": self._options.device_scale_factor,
                    "mobile": False,
                },
            ),
        )

    def _cookies(self) -> list[dict[str, Any]]:
        """As the DevTools protocol takes them."""
        return [
            {
                "name": cookie.name,
                "value": reveal(cookie.value),
                "path": cookie.path,
                "secure": self._url.startswith("https:") if cookie.secure is None else cookie.secure,
                "httpOnly": cookie.http_only,
                # With a url and no domain the cookie is the host's alone.
                **({"domain": cookie.domain} if cookie.domain else {"url": self._url}),
                **({"sameSite": cookie.same_site.value} if cookie.same_site else {}),
            }
            for cookie in self._options.cookies
        ]

    def _on_dialog(self, event: dict[str, Any]) -> None:
        """An open dialog stops the page. Leaving is agreed to, everything else is dismissed."""
        self._session.send("Page.handleJavaScriptDialog", {"accept": event["type"] == "beforeunload"})

    def _check_status(self) -> None:
        status = self._navigation.status
        if status in (204, 205):
            raise ContentRefused(f"the page answered {status}: there is no document to show")
        if not self._options.fail_on_status or status is None or status < 400:
            return
        refusal = StatusUnavailable if status == 429 or status >= 500 else StatusRefused
        raise refusal(f"the page answered {status} and failOnStatus is set")

    def _failure(self, error: CaptureError) -> CaptureError:
        """Why there is no document. What was refused looks to the browser like any broken connection."""
        return self._interception.refusal or self._guard.explain(self._interception.document_url) or error

    def _check_size(self) -> None:
        if self._guard.exceeded is not None:
            raise self._guard.exceeded

    async def _measure(self) -> Measures:
        values = await self._evaluate(MEASURE)
        # A script may have moved the page on since its document was judged, also to where nothing came from.
        if values["url"].startswith("chrome-error:"):
            raise self._failure(ConnectionFailed("the page moved on to where there was no connection"))
        self._policy.check_page(values["url"])
        return Measures(
            title=values["title"][:MAX_TITLE_CHARS],
            url=values["url"],
            width=self._options.viewport.width,
            height=max(int(values["height"]), self._options.viewport.height),
        )

    async def _picture(self, measures: Measures) -> bytes:
        options = self._options
        parameters: dict[str, Any] = {
            "format": options.format.value,
            "optimizeForSpeed": options.format is ImageFormat.PNG,
            "captureBeyondViewport": options.full_page,
        }
        # A clip is relative to the document; without one, a page that scrolled itself is pictured where it is.
        if options.full_page:
            height = min(measures.height, options.height_cap)
            parameters["clip"] = {"x": 0, "y": 0, "width": measures.width, "height": height, "scale": 1}
        if options.quality is not None:
            parameters["quality"] = options.quality
        answer = await self._session.send("Page.captureScreenshot", parameters)
        return base64.b64decode(answer["data"])

    async def _evaluate(self, expression: str) -> Any:
        """Run our script in a world of its own, where the page cannot have replaced what it uses."""
        world = await self._session.send(
            "Page.createIsolatedWorld", {"frameId": self._frame_id, "worldName": WORLD_NAME}
        )
        answer = await self._session.send(
            "Runtime.evaluate",
            {
                "expression": expression,
                "contextId": world["executionContextId"],
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
        return answer["result"].get("value")

    def _facts(self, measures: Measures) -> PageFacts:
        capped = self._options.full_page and measures.height > self._options.height_cap
        return PageFacts(
            http_status=self._navigation.status,
            final_url=without_credentials(measures.url),
            title=measures.title,
            page_height=measures.height if capped else None,
            height_capped=True if capped else None,
            blocked=dict(self._guard.refused) or None,
        )
