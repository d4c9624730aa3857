"""One capture in one page: prepare, navigate, wait, change, settle, measure, picture."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stillframe.artifact import Screenshot
from stillframe.clock import Deadline
from stillframe.egress import EgressPolicy
from stillframe.errors import (
    CaptureError,
    CaptureTimeout,
    ConnectionFailed,
    ContentRefused,
    NavigationTimeout,
    ReadyTimeout,
    StatusRefused,
    StatusUnavailable,
)
from stillframe.facts import PageFacts
from stillframe.options import RenderOptions, WaitUntil
from stillframe.request import MAX_URL_CHARS, without_credentials

from ..browser.tab import Tab
from ..guard.session import GuardSession
from .blocks import Blocks
from .camera import Camera, Layout, Picture, is_blank
from .changes import Changes
from .consent import Consent
from .cookies import cookies_of
from .emulation import emulate
from .evidence import Evidence
from .extras import Extras
from .filters import AdFilter
from .interception import Interception
from .navigation import Navigation
from .scripts import FINISH_VIEW, HAS_CONTENT, MEASURE
from .scrolling import scroll_through
from .settling import Settling
from .traffic import Traffic
from .world import World

MAX_TITLE_CHARS = 1000
MAX_DESCRIPTION_CHARS = 2000
# What is kept of the job's time for the picture, when a page would take all of it.
RESERVE_SECONDS = 3.0
RESERVE_SHARE = 0.3
# How long a banner is given to go on, where the page's clock is the machine's.
ROUND_SECONDS = 0.5
# A blank picture of a page that has something to show is taken again after each of these.
BLANK_PAUSES = (0.25, 0.75)


@dataclass(frozen=True, slots=True)
class Measures:
    """What the page says of itself."""

    title: str
    description: str
    url: str
    layout: Layout


class PageCapture:
    """The steps of one capture on one fresh tab."""

    def __init__(
        self, tab: Tab, url: str, policy: EgressPolicy, guard: GuardSession, options: RenderOptions, deadline: Deadline
    ) -> None:
        session = self._session = tab.session
        self._tab = tab
        self._url = url
        self._policy = policy
        self._guard = guard
        self._options = options
        self._deadline = deadline
        self._phase = "navigation"
        # Whether it is the job's deadline and not the page's time-out that ends the waiting.
        self._is_hurried = False
        self._navigation = Navigation(session, tab.frame_id)
        self._evidence = Evidence(session, tab.frame_id)
        self._traffic = Traffic(session)
        self._world = World(session, tab.frame_id)
        self._ads = AdFilter(session, self._world, url) if options.block_ads else None
        self._consent = Consent(session) if options.block_cookie_banners else None
        blocks = Blocks(options, self._ads)
        self._interception = Interception(session, tab.frame_id, policy, guard, options, blocks)
        self._changes = Changes(session, self._world, options)
        self._settling = Settling(session, self._world, self._traffic)
        self._camera = Camera(session, self._world, options)
        self._extras = Extras(session, self._world, options)

    async def run(self) -> Screenshot:
        """Capture the page. Raises a CaptureError; the caller bounds the time."""
        try:
            return await self._run()
        finally:
            await self._settling.close()

    async def _run(self) -> Screenshot:
        started = time.monotonic()
        self._policy.check_page(self._url)
        await self._prepare()
        unsettled = await self._reach()
        self._check_size()
        measures = await self._measure()
        picture, blank = await self._picture(measures)
        derived = await self._extras.derive(picture)
        extras = await self._extras.take(measures.url, measures.title, self._evidence.timings, self._seconds())
        self._check_size()
        facts = self._facts(measures, unsettled, blank)
        return Screenshot(
            data=picture.data,
            format=self._options.format,
            width=picture.width,
            height=picture.height,
            facts=replace(facts, perceptual_hash=derived.perceptual_hash, left_out=self._extras.left_out or None),
            render_ms=round((time.monotonic() - started) * 1000),
            extras=(*derived.thumbnails, *extras),
        )

    async def _prepare(self) -> None:
        """All that has to be there before the page has a chance to run."""
        self._tab.dismiss_dialogs()
        await asyncio.gather(
            self._interception.start(),
            self._session.send("Network.setCookies", {"cookies": cookies_of(self._options, self._url)}),
            emulate(self._session, self._options, self._tab.user_agent),
            self._changes.prepare(),
            *(each.prepare() for each in (self._ads, self._consent) if each is not None),
        )

    async def _reach(self) -> str | None:
        """Take the page to where it can be pictured. Returns what it did not reach in its time, if there is such."""
        try:
            async with asyncio.timeout(self._seconds()):
                await self._navigation.go(self._url)
                self._check_status()
                await self._wait()
            await asyncio.sleep(self._options.delay_ms / 1000)
            async with asyncio.timeout(self._seconds()):
                await self._finish()
        except TimeoutError as error:
            # A page that is too large may be busy with what it got: waiting again would not make it smaller.
            if self._guard.exceeded is not None:
                raise self._guard.exceeded from error
            if self._options.strict or not self._navigation.has_document:
                raise self._late() from error
            await self._world.evaluate_within(FINISH_VIEW, 1.0)
            return self._phase
        except CaptureError as error:
            raise self._failure(error) from error
        self._evidence.mark("settledMs")
        return None

    async def _wait(self) -> None:
        wait_until = self._options.wait_until
        self._phase = "load" if wait_until is WaitUntil.SETTLED else wait_until.value
        await self._navigation.ready(wait_until)
        self._phase = "waitForSelector" if self._options.wait_for_selector else "waitForFunction"
        await self._changes.wait_for_what_is_asked()

    async def _finish(self) -> None:
        options = self._options
        if self._ads is not None:
            await self._ads.hide()
        self._phase = "blockCookieBanners"
        if self._consent is not None:
            await self._consent.answer(self._go_on)
        self._phase = "click" if options.click else "js"
        await self._changes.apply()
        self._phase = "scrolling"
        if options.full_page:
            await scroll_through(self._world, self._traffic, options.height_cap)
        self._phase = "settled"
        if options.wait_until is WaitUntil.SETTLED:
            await self._settling.settle()
        elif options.wait_until is not WaitUntil.DOM_CONTENT_LOADED:
            await self._world.evaluate(FINISH_VIEW)

    async def _go_on(self) -> None:
        """Half a second of the page's time."""
        if self._options.wait_until is WaitUntil.SETTLED:
            await self._settling.settle()
        else:
            await asyncio.sleep(ROUND_SECONDS)

    def _seconds(self) -> float:
        """For waiting: the page's time-out, inside the job's deadline with room for the picture."""
        remaining = self._deadline.remaining_seconds()
        until_deadline = remaining - min(RESERVE_SECONDS, remaining * RESERVE_SHARE)
        self._is_hurried = until_deadline < self._options.timeout_ms / 1000
        return until_deadline if self._is_hurried else self._options.timeout_ms / 1000

    def _late(self) -> CaptureTimeout:
        if self._is_hurried:
            return CaptureTimeout(f"the page did not get past {self._phase} before the job's deadline")
        late = ReadyTimeout if self._navigation.has_document else NavigationTimeout
        return late(f"the page did not get past {self._phase} within {self._options.timeout_ms} ms")

    def _check_status(self) -> None:
        status = self._evidence.status
        if status in (204, 205):
            raise ContentRefused(f"the page answered {status}: there is no document to show")
        if not self._options.fail_on_status or status is None or status < 400:
            return
        refusal = StatusUnavailable if status == 429 or status >= 500 else StatusRefused
        raise refusal(f"the page answered {status} and failOnStatus is set")

    def _failure(self, error: CaptureError) -> CaptureError:
        """Why there is no document. What was refused looks to the browser like any broken connection."""
        if self._navigation.has_document and not isinstance(error, ConnectionFailed):
            return error
        return self._interception.refusal or self._guard.explain(self._interception.document_url) or error

    def _check_size(self) -> None:
        if self._guard.exceeded is not None:
            raise self._guard.exceeded

    async def _measure(self) -> Measures:
        values = await self._world.evaluate(MEASURE)
        # A script may have moved the page on since its document was judged, also to where nothing came from.
        if values["url"].startswith("chrome-error:"):
            raise self._failure(ConnectionFailed("the page moved on to where there was no connection"))
        self._policy.check_page(values["url"])
        viewport = self._options.viewport
        width = max(int(values["width"]), viewport.width)
        height = max(int(values["height"]), viewport.height)
        return Measures(
            title=values["title"][:MAX_TITLE_CHARS],
            description=values["description"][:MAX_DESCRIPTION_CHARS],
            url=values["url"],
            layout=Layout(width, height, viewport.width / width),
        )

    async def _picture(self, measures: Measures) -> tuple[Picture, bool]:
        """The picture, and whether it is blank although it was taken again."""
        picture = await self._camera.take(measures.layout)
        blank = await is_blank(picture, self._options.format)
        for pause in self._pauses():
            if not blank or not await self._world.evaluate(HAS_CONTENT):
                break
            await asyncio.sleep(pause)
            picture = await self._camera.take(measures.layout)
            blank = await is_blank(picture, self._options.format)
        return picture, blank

    def _pauses(self) -> Sequence[float]:
        return BLANK_PAUSES if self._deadline.remaining_seconds() > RESERVE_SECONDS else ()

    def _facts(self, measures: Measures, unsettled: str | None, blank: bool) -> PageFacts:
        height = measures.layout.shown_height
        capped = self._options.full_page and height > self._options.height_cap
        evidence, traffic = self._evidence, self._traffic
        return PageFacts(
            http_status=None if self._options.html is not None else evidence.status,
            # A part of a url is none.
            final_url=without_credentials(measures.url) if len(measures.url) <= MAX_URL_CHARS else None,
            title=measures.title,
            description=measures.description or None,
            page_content_type=evidence.page_content_type,
            redirects=evidence.redirects or None,
            tls_issuer=evidence.tls_issuer,
            tls_expires_at=evidence.tls_expires_at,
            console_errors=evidence.console_errors or None,
            requests=traffic.requests,
            failed_requests=traffic.failed,
            transferred_bytes=traffic.bytes,
            timings=dict(evidence.timings),
            page_height=height if capped else None,
            height_capped=True if capped else None,
            settled=unsettled is None,
            unsettled=unsettled,
            ads_blocked=self._ads.refused if self._ads is not None else None,
            cookie_banner=self._consent.answered if self._consent is not None else None,
            blank=True if blank else None,
            blocked=dict(self._guard.refused) or None,
        )
