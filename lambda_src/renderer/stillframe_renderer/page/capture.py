"""One capture in one page: prepare, navigate, wait, change, settle, measure, take the screenshot."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import time
from collections.abc import AsyncIterator

from stillframe.clock import Deadline
from stillframe.egress.policy import EgressPolicy
from stillframe.errors import (
    CaptureError,
    ConnectionFailed,
    ContentRefused,
    InvalidRequest,
    StatusRefused,
    StatusUnavailable,
)
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import RenderResult
from stillframe.request.capture_request import MAX_URL_CHARS, without_credentials
from stillframe.request.options import ImageFormat, RenderOptions, Viewport, WaitUntil

from ..chromium.tab import Tab
from ..guard.session import GuardSession
from .blocks import Blocks
from .camera import Camera
from .chance import fix_chance
from .changes import Changes
from .clock import keep_time
from .closing import keep_open
from .consent import Consent
from .cookies import cookies_of
from .emulation import emulate, permissions_of
from .evidence import Evidence
from .extras import Extras
from .failures import Failures
from .filters import AdFilter
from .init_script import install_init_script
from .interception import Interception
from .masks import cover
from .measures import Measures
from .navigation import Navigation, error_for
from .outline import Outline, read_outline
from .patience import MIN_SCREENSHOT_SECONDS, Patience
from .preparation import Preparation
from .printer import Printer
from .scripts import FINISH_VIEW
from .shots import Shots
from .showing import Showing
from .targets import Targets
from .traffic import Traffic
from .world import World

# What a page gets that has used up its time: to show what it has, and to be measured.
FINISH_SECONDS = 1.0
MEASURE_SECONDS = 1.0
# Whether anything of the document has come.
HAS_BEGUN = "[document.head, document.body].some(part => part?.attributes.length || part?.childNodes.length)"


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
        self._patience = Patience(deadline, options.timeout_ms)
        self._navigation = Navigation(dataclasses.replace(tab, referrer=options.referer))
        self._preparation = Preparation(session)
        self._evidence = Evidence(session, tab.frame_id)
        self._targets = Targets(tab)
        self._failures = Failures(tab, self._targets, options, self._evidence)
        self._traffic = Traffic(session, self._targets)
        self._world = World(session, tab.frame_id)
        self._ads = AdFilter(session, self._world, url) if options.block_ads else None
        self._consent = Consent(session) if options.block_cookie_banners else None
        blocks = Blocks(options, self._ads)
        self._interception = Interception(session, tab.frame_id, policy, guard, options, blocks)
        self._changes = Changes(session, self._world, options)
        self._camera = Camera(session, self._world, options)
        self._printer = Printer(session, self._world, options) if options.format is ImageFormat.PDF else None
        self._showing = Showing(tab, self._world, self._traffic, self._navigation, options, self._printer)
        self._extras = Extras(session, self._world, options)
        self._shots = Shots(session, self._world, self._traffic, self._changes, self._showing, options, self._measure)

    async def run(self) -> RenderResult:
        """Capture the page. Raises a CaptureError; the caller bounds the time."""
        started = time.monotonic()
        async with contextlib.aclosing(self._showing):
            self._policy.check_page(self._url)
            await self._prepare()
            unsettled = await self._load()
            self._check_size()
            async with self._bounded("measuring", MEASURE_SECONDS if unsettled else self._patience.seconds()):
                measures = await self._measure(self._options.viewport)
            self._failures.check()
            async with self._bounded("the screenshot", max(self._patience.seconds(), MIN_SCREENSHOT_SECONDS)):
                await cover(self._world, self._options)
                tiles = functools.partial(self._showing.tiles, measures.layout) if self._showing.is_tiled else None
                maker = self._printer or self._camera
                screenshot, blank = await maker.screenshot_of_content(measures.layout, self._patience, tiles)
                outline = await read_outline(self._world, self._camera, measures.layout, self._options)
                elements, not_separate = await self._camera.separate_elements()
            derived = await self._extras.derive(screenshot)
            extras = await self._extras.collect(
                measures.url, measures.title, self._evidence.timings, outline, self._patience.seconds()
            )
            shots = await self._shots.take(self._patience)
            self._check_size()
            self._failures.check()
        return RenderResult(
            data=screenshot.data,
            format=self._options.format,
            width=screenshot.width,
            height=screenshot.height,
            facts=self._facts(measures, unsettled, blank, derived.perceptual_hash, not_separate, outline),
            render_ms=round((time.monotonic() - started) * 1000),
            extras=(*derived.thumbnails, *elements, *extras),
            elements=outline.elements,
            shots=shots,
        )

    async def _prepare(self) -> None:
        """Set up everything that must be in place before the page can run."""
        page = self._preparation
        self._tab.dismiss_dialogs()
        page.track(self._tab.permit(permissions_of(self._options)))
        self._interception.install(page)
        if self._options.cookies:
            refusal = InvalidRequest(
                "options: cookies: the browser refuses one of them; check its value and attributes"
            )
            page.send("Network.setCookies", {"cookies": cookies_of(self._options, self._url)}, refusal)
        emulate(page, self._options, self._tab.chromium.user_agent)
        keep_open(page)
        fix_chance(page, self._options)
        if self._options.wait_until is WaitUntil.SETTLED:
            keep_time(page)
        if self._options.init_script is not None:
            install_init_script(page, self._targets, self._options.init_script)
        self._changes.install(page)
        if self._consent is not None:
            self._consent.install(page)
        if self._ads is not None:
            await self._ads.install(page)
        if not self._options.java_script_enabled:
            # Emulation.setScriptExecutionDisabled is not processed in order with the other commands, so it must have
            # taken effect before the page is loaded.
            await self._navigation.open_empty(page)

    async def _load(self) -> str | None:
        """Load the page until it can be captured. Returns the phase that it did not finish in time, if any."""
        try:
            async with asyncio.timeout(self._patience.seconds()):
                await self._navigation.navigate(self._url, self._preparation)
                self._check_status()
                await self._wait()
            await asyncio.sleep(self._options.delay_ms / 1000)
            async with asyncio.timeout(self._patience.seconds()):
                await self._finish()
        except TimeoutError as error:
            # A page that is too large may be busy with what it has loaded. Trying again would not make it smaller.
            if self._guard.exceeded is not None:
                raise self._guard.exceeded from error
            has_document = self._navigation.has_document
            # A page that does not even say what it has is stuck, and could not be captured.
            if self._options.strict or not has_document or not await self._world.evaluate_within(HAS_BEGUN, 1.0):
                raise self._patience.timeout_error(has_document) from error
            self._traffic.give_up_all()
            await self._world.evaluate_within(FINISH_VIEW, FINISH_SECONDS)
            return self._patience.phase
        except CaptureError as error:
            raise self._explained(error) from error
        self._evidence.mark("settledMs")
        if self._navigation.broken_off is not None:
            return self._navigation.broken_off
        if self._traffic.given_up:
            return "network"
        return None if self._showing.is_scrolled_through else "scrolling"

    @contextlib.asynccontextmanager
    async def _bounded(self, phase: str, seconds: float) -> AsyncIterator[None]:
        """A step after the page's own time, which a page that keeps its renderer busy must not hold up."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            self._patience.phase = phase
            raise self._patience.timeout_error(has_document=True) from error

    async def _wait(self) -> None:
        wait_until = self._options.wait_until
        self._patience.phase = "load" if wait_until is WaitUntil.SETTLED else wait_until.value
        await self._navigation.ready(wait_until)
        if self._navigation.broken_off is not None and not await self._world.evaluate(HAS_BEGUN):
            raise error_for(self._navigation.broken_off)
        self._patience.phase = "waitForSelector" if self._options.wait_for_selector else "waitForFunction"
        await self._changes.wait_for_conditions()

    async def _finish(self) -> None:
        options = self._options
        if self._ads is not None:
            await self._ads.hide()
        self._patience.phase = "blockCookieBanners"
        if self._consent is not None:
            await self._consent.answer(self._showing.let_page_run)
        self._patience.phase = "click" if options.click else "js"
        await self._changes.apply()
        await self._shots.remember_place()
        await self._showing.show(self._patience)

    def _check_status(self) -> None:
        status = self._evidence.status
        if status in (204, 205):
            raise ContentRefused(f"the page answered {status}: there is no document to capture")
        if not self._options.fail_on_status or status is None or status < 400:
            return
        refusal = StatusUnavailable if status == 429 or status >= 500 else StatusRefused
        raise refusal(f"the page answered {status} and failOnStatus is set")

    def _explained(self, error: CaptureError) -> CaptureError:
        """The reason behind an error: to the browser, a refused request looks like any broken connection."""
        if self._navigation.has_document and not isinstance(error, ConnectionFailed):
            return error
        return self._interception.refusal or self._guard.explain(self._interception.document_url) or error

    def _check_size(self) -> None:
        if self._guard.exceeded is not None:
            raise self._guard.exceeded

    async def _measure(self, viewport: Viewport) -> Measures:
        measures = await Measures.read(self._world, viewport)
        # Since its document was checked, a script may have navigated the page, perhaps to a URL that failed to load.
        if measures.url.startswith("chrome-error:"):
            raise self._explained(ConnectionFailed("the page navigated to a URL that could not be loaded"))
        self._policy.check_page(measures.url)
        return measures

    def _facts(
        self,
        measures: Measures,
        unsettled: str | None,
        blank: bool,
        perceptual_hash: str | None,
        not_separate: dict[str, str],
        outline: Outline,
    ) -> PageFacts:
        evidence = self._evidence
        layout, height = measures.layout, measures.layout.shown_height
        # Tiles are as wide as the window.
        width = self._options.viewport.width if self._showing.is_tiled else layout.shown_width
        shown_width = min(width, self._options.format.max_side // self._options.device_scale_factor)
        capped = self._options.full_page and height > self._options.height_cap
        return PageFacts(
            # The request's own HTML has no status.
            http_status=None if self._options.html is not None else evidence.status,
            page_content_type=evidence.page_content_type,
            redirects=evidence.redirects or None,
            tls_issuer=evidence.tls_issuer,
            tls_expires_at=evidence.tls_expires_at,
            console_errors=evidence.console_errors or None,
            timings=dict(evidence.timings),
            # A truncated URL is not a URL.
            final_url=without_credentials(measures.url) if len(measures.url) <= MAX_URL_CHARS else None,
            title=measures.title,
            description=measures.description or None,
            requests=self._traffic.requests,
            failed_requests=self._traffic.failed,
            transferred_bytes=self._traffic.bytes,
            page_height=height if capped else None,
            page_width=layout.whole_width if self._options.full_page and layout.whole_width > shown_width else None,
            height_capped=capped or None,
            settled=unsettled is None,
            unsettled=unsettled,
            scroller=self._showing.scroller,
            unanswered=self._traffic.given_up or None,
            blank=blank or None,
            blocked=dict(self._guard.refused) or None,
            ads_blocked=self._ads.refused if self._ads is not None else None,
            cookie_banner=self._consent.answered if self._consent is not None else None,
            perceptual_hash=perceptual_hash,
            left_out={**self._extras.left_out, **not_separate} or None,
            ignored_boxes=[list(box) for box in outline.ignored] or None,
        )
