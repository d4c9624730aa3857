"""Showing everything that the screenshot is to have: scrolling, settling, and content that scrolls in an element."""

from __future__ import annotations

import asyncio

from stillframe.request.options import RenderOptions, WaitUntil
from stillframe.request.options.image import MAX_FULL_PAGE_HEIGHT

from ..chromium.tab import Tab
from .camera import Layout
from .clock import PageClock
from .elements import bring_into_view
from .navigation import Navigation
from .patience import Patience
from .printer import Printer
from .scripts import FINISH_VIEW, MAY_REACT, PAINTED, REACTS
from .scrollers import STOP_MS, let_scrollers_fit, let_scrollers_grow
from .scrolling import render_offscreen_content, scroll_through, wait_for_loads
from .seen import shows_only_in_view
from .settling import Settling
from .tiles import Tiling
from .traffic import Traffic
from .world import World

# How long the page runs in each round, if it is not settled by its own clock.
ROUND_SECONDS = 0.5
# How long a visit's requests are waited for, to see whether it brings back what was there.
LOAD_SECONDS = 3.0
# How many matches of a selector are scrolled to, if all of them are captured.
MAX_VISITS = 50


class Showing:
    """Shows one page. `printer` is given if it will be printed."""

    def __init__(
        self,
        tab: Tab,
        world: World,
        traffic: Traffic,
        navigation: Navigation,
        options: RenderOptions,
        printer: Printer | None,
        before: Showing | None = None,
    ) -> None:
        """`before` is how the same page was shown before, if it was."""
        self._tab = tab
        self._session = tab.session
        self._world = world
        self._navigation = navigation
        self._traffic = traffic
        self._options = options
        self._printer = printer
        self._clock: PageClock = before._clock if before is not None else PageClock(tab.session, world, traffic)
        is_whole = options.full_page or printer is not None
        self._settling = Settling(tab.session, world, traffic, self._clock, is_whole=is_whole)
        self._is_settled_by_clock = options.wait_until is WaitUntil.SETTLED
        self._before = before
        # Whether scripts have run, once somebody has looked.
        self._has_scripts: bool | None = before._has_scripts if before is not None else None
        self._reacts: bool | None = before._reacts if before is not None else None
        self.is_scrolled_through = True
        # Whether no single screenshot can have all of the page.
        self.is_tiled = False
        # The element that scrolled in place of the window.
        self.scroller: str | None = None

    async def show(self, patience: Patience) -> None:
        """Scroll to what will be captured, and let the page settle there. The caller bounds the time."""
        options = self._options
        patience.phase = "scrolling"
        if options.full_page or self._printer is not None:
            await self._scroll_through()
        elif options.clip is not None or options.selectors:
            await render_offscreen_content(self._world)
            await self._visit_elements()
        patience.phase = "settled"
        if self._is_settled_by_clock:
            await self._settle()
            if options.full_page:
                self.is_tiled = await shows_only_in_view(
                    self._world,
                    self._clock,
                    lambda: wait_for_loads(self._traffic, LOAD_SECONDS),
                    self._settling.settle,
                )
        elif options.wait_until is not WaitUntil.DOM_CONTENT_LOADED:
            await self._world.evaluate(FINISH_VIEW)

    def with_options(self, options: RenderOptions) -> Showing:
        """The same page, shown with other options."""
        return Showing(self._tab, self._world, self._traffic, self._navigation, options, None, self)

    async def let_page_run(self) -> None:
        """Let the page run for half a second of its own time."""
        if self._is_settled_by_clock:
            await self._settling.settle()
        else:
            await asyncio.sleep(ROUND_SECONDS)

    async def tiles(self, layout: Layout) -> bytes:
        """The full page, captured window by window."""
        tiling = Tiling(self._session, self._world, self._traffic, self._clock, self._options)
        return await tiling.screenshot(layout, is_grown=self.scroller is not None)

    async def aclose(self) -> None:
        """Stop keeping the page's clock ahead."""
        await self._clock.aclose()

    async def _visit_elements(self) -> None:
        """Scroll to every element that will be captured, and to the first one at last."""
        selectors = self._options.selectors
        if selectors[1:] or self._options.matches == "all":
            count = MAX_VISITS if self._options.matches == "all" else 1
            for selector in selectors:
                for number in range(count):
                    if not await bring_into_view(self._world, selector, number):
                        break
                    await self._world.evaluate(f"(async () => {{ {PAINTED} }})()")
                    if self._is_settled_by_clock:
                        await self._clock.take_over()
                        await self._clock.skip(STOP_MS)
        for selector in selectors:
            await let_scrollers_fit(self._world, selector)
        if selectors:
            await bring_into_view(self._world, selectors[0])

    async def _settle(self) -> None:
        """Let the page settle. One that has settled before can react to a new window and to scrolling alone."""
        options, settling = self._options, self._settling
        if self._before is None:
            await settling.settle()
            return
        is_scrolled = options.full_page or bool(options.selectors)
        is_same_window = options.window == self._before._options.window
        if is_same_window and not is_scrolled and options.clip is None:
            return
        if (is_same_window and not is_scrolled) or not await self._may_react():
            await settling.finish()
        else:
            await (settling.settle() if is_scrolled else settling.settle_again())

    async def _may_react(self) -> bool:
        if self._has_scripts is None:
            self._has_scripts = await self._has_run_scripts()
        if not self._has_scripts and self._reacts is None:
            # Without scripts, there is nothing that could add what reacts.
            self._reacts = bool(await self._world.evaluate(MAY_REACT))
        return self._has_scripts or self._reacts is True

    async def _has_run_scripts(self) -> bool:
        """Whether scripts have run of which the document may have no trace."""
        if self._options.js or self._options.init_script or self._options.click:
            return True
        if await self._world.evaluate(MAY_REACT):
            return False
        # A script of the page's own may have removed itself.
        text = await self._navigation.document_text()
        return text is None or "<script" in text.lower()

    async def _scroll_through(self) -> None:
        clock = self._clock if self._is_settled_by_clock else None
        if clock is not None:
            await clock.take_over()
        if self._printer is not None:
            await self._printer.expand()
        self._has_scripts = await self._has_run_scripts()
        if self._has_scripts:
            await self._world.evaluate(REACTS)
        cap = self._options.height_cap if self._options.full_page else MAX_FULL_PAGE_HEIGHT
        self.is_scrolled_through = await scroll_through(self._world, self._traffic, cap, clock)
        if self._options.full_page:
            self.scroller = await let_scrollers_grow(self._world)
