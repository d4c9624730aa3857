"""Shots: further images of the loaded page, one after the other, each in its own window and of its own part.

A page that was loaded for one window is shown in another one as it is for a visitor who resizes theirs: media queries,
`resize` listeners and responsive images follow, and it settles by the rules of the main image. What is fixed once a
page loads (user agent, touch, `mobile`) stays as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from pyppeteer.connection import CDPSession

from stillframe.errors import CaptureError, PageTooLarge, ReadyTimeout
from stillframe.image.shot import Shot, ShotFacts
from stillframe.request.options import RenderOptions, ShotOptions, Viewport

from .camera import Camera
from .changes import Changes
from .emulation import resize, set_background
from .masks import cover
from .measures import Measures
from .patience import MIN_SCREENSHOT_SECONDS, Patience
from .scripts import FINISH_VIEW, REMEMBER_PLACE, RESTORE
from .settling import WATCH
from .showing import Showing
from .traffic import Traffic
from .world import World

# All of them are in memory until the last one is taken.
MAX_BYTES = 100_000_000
FINISH_SECONDS = 1.0


class Shots:
    """Takes the shots of one capture. `measure` reads the document's facts, and checks where it has come from."""

    def __init__(
        self,
        session: CDPSession,
        world: World,
        traffic: Traffic,
        changes: Changes,
        showing: Showing,
        options: RenderOptions,
        measure: Callable[[Viewport], Awaitable[Measures]],
    ) -> None:
        self._session = session
        self._world = world
        self._traffic = traffic
        self._changes = changes
        self._showing = showing
        self._options = options
        self._measure = measure

    async def remember_place(self) -> None:
        """Remember where the page has scrolled itself: each shot begins there."""
        if self._options.shots:
            await self._world.evaluate(REMEMBER_PLACE)

    async def take(self, patience: Patience) -> tuple[Shot, ...]:
        """Take all of them, within the time of the job. Raises a CaptureError, which names the shot."""
        taken: dict[str, Shot] = {}
        before = self._options
        for shot, options in self._in_order():
            with _naming(shot):
                # A page that never settles must leave time for the shots to come.
                seconds = patience.seconds() / (len(self._options.shots) - len(taken))
                async with _bounded(max(seconds, MIN_SCREENSHOT_SECONDS)):
                    await self._prepare(options, before)
                unsettled, showing = await self._show(options, patience, seconds)
                async with _bounded(max(seconds, MIN_SCREENSHOT_SECONDS)):
                    taken[shot.name] = await self._take(shot, options, showing, patience, unsettled)
                if sum(len(each.data) for each in taken.values()) > MAX_BYTES:
                    raise PageTooLarge(f"the shots so far have more than {MAX_BYTES:,} bytes")
            before = options
        return tuple(taken[shot.name] for shot in self._options.shots)

    def _in_order(self) -> list[tuple[ShotOptions, RenderOptions]]:
        """The shots in the order in which they are taken: those of one window together, the image's own window first.

        Each new window has the page laid out and painted anew.
        """
        found = [(shot, self._options.of_shot(shot)) for shot in self._options.shots]
        windows = [self._options.window, *(options.window for _, options in found)]
        return sorted(found, key=lambda each: windows.index(each[1].window))

    async def _prepare(self, options: RenderOptions, before: RenderOptions) -> None:
        """Give the page its window. Nothing that was done to it for the image before may be left."""
        is_resized = options.window != before.window
        await self._world.evaluate(f"{RESTORE};{WATCH}" if is_resized else RESTORE)
        if is_resized:
            await resize(self._session, options)
        if options.omit_background != before.omit_background:
            await set_background(self._session, options)
        await self._changes.scroll()

    async def _show(self, options: RenderOptions, patience: Patience, seconds: float) -> tuple[str | None, Showing]:
        """Let the page settle. Returns what did not end in time, if the options allow that."""
        showing = self._showing = self._showing.with_options(options)
        given_up = len(self._traffic.given_up)
        try:
            async with asyncio.timeout(seconds):
                await showing.show(patience)
        except TimeoutError as error:
            if options.strict:
                raise ReadyTimeout(f"the page did not get past {patience.phase} within {seconds:.1f} s") from error
            self._traffic.give_up_all()
            await self._world.evaluate_within(FINISH_VIEW, FINISH_SECONDS)
            return patience.phase, showing
        if len(self._traffic.given_up) > given_up:
            return "network", showing
        return None if showing.is_scrolled_through else "scrolling", showing

    async def _take(
        self, shot: ShotOptions, options: RenderOptions, showing: Showing, patience: Patience, unsettled: str | None
    ) -> Shot:
        layout = (await self._measure(options.viewport)).layout
        await cover(self._world, options)
        tiles = functools.partial(showing.tiles, layout) if showing.is_tiled else None
        camera = Camera(self._session, self._world, options)
        screenshot, is_blank = await camera.screenshot_of_content(layout, patience, tiles)
        is_capped = options.full_page and layout.shown_height > options.height_cap
        load = {"mobile": options.mobile, "touch": options.touch, "userAgent": options.user_agent}
        facts = ShotFacts(
            name=shot.name,
            viewport=options.viewport,
            device_scale_factor=options.device_scale_factor,
            device=shot.device,
            not_emulated=shot.not_emulated(load) or None,
            page_height=layout.shown_height if is_capped else None,
            height_capped=is_capped or None,
            blank=is_blank or None,
            unsettled=unsettled,
        )
        return Shot(screenshot.data, options.format, screenshot.width, screenshot.height, facts)


@contextlib.contextmanager
def _naming(shot: ShotOptions) -> Iterator[None]:
    try:
        yield
    except CaptureError as error:
        error.message = f"shot {shot.name}: {error.message}"
        error.args = (error.message,)
        raise


@contextlib.asynccontextmanager
async def _bounded(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ReadyTimeout(f"the page did not get past the screenshot within {seconds:.1f} s") from error
