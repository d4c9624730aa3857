"""Takes the screenshot: of the viewport, the full page, an element or a region. `printer.py` makes PDFs."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import imagesize
from pyppeteer.connection import CDPSession

from stillframe.errors import InvalidRequest
from stillframe.image.extra import Extra
from stillframe.request.options import ImageFormat, RenderOptions

from .elements import Box, boxes_of
from .fixed import place_fixed
from .imaging import DEFAULT_AVIF_QUALITY, is_one_colour, to_avif
from .patience import Patience
from .scripts import HAS_CONTENT
from .stillness import hold_still, unnoticed
from .world import World

# An image of one colour compresses to almost nothing. An image with more bits per pixel than this is not blank.
MAX_BLANK_BITS_PER_PIXEL = 0.2
# A blank screenshot of a page that has something to show is taken again, after each of these pauses in seconds.
BLANK_PAUSES_SECONDS = (0.25, 0.75)
# An ordinary screenshot takes a tenth of a second, one of the largest some seconds.
STALL_SECONDS = 15
# Of one selector. More than these are most of the page.
MAX_MATCHES = 1000
# Images of single elements beside the one of all.
MAX_SEPARATE = 50


class ScreenshotStalled(Exception):
    """The browser draws no frames any more, and so takes no screenshots: the page has to be captured in another one.

    Seen with Chromium 156 beside a page that navigates through URLs of megabytes: all of its processes wait.
    """


@dataclass(frozen=True, slots=True)
class Screenshot:
    """An encoded screenshot with its size in device pixels, or a PDF with the size of a sheet in CSS pixels."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The size of the document in CSS pixels, and the scale at which it is displayed.

    A phone lays out a page that is not made for phones wider than its screen, and scales it down.
    """

    width: int
    height: int
    scale: float
    # With everything that a visitor reaches by scrolling to the side.
    whole_width: int

    @property
    def shown_width(self) -> int:
        """The width of a full page. Of one that is scaled down, it is the part that the screen shows."""
        return self.width if self.scale != 1 else self.whole_width

    @property
    def shown_height(self) -> int:
        return round(self.height * self.scale)


class Camera:
    """Takes screenshots of one page."""

    def __init__(self, session: CDPSession, world: World, options: RenderOptions) -> None:
        self._session = session
        self._world = world
        self._options = options
        # Where the screenshot begins in the document, in CSS pixels; None if it shows the window as it is.
        self.origin: tuple[float, float] | None = None

    async def screenshot(self, layout: Layout) -> Screenshot:
        """Take the screenshot that the options describe. Raises SelectorNotFound or InvalidRequest."""
        # A clip is relative to the document. Without one, a page that has scrolled itself is captured where it is.
        return await self._take(await self._clip(layout))

    async def separate_elements(self) -> tuple[list[Extra], dict[str, str]]:
        """An image of each element, if the options ask for it, and the names of those that are left out, with why."""
        if not self._options.separate:
            return [], {}
        boxes, images = await self._boxes(), []
        for number, box in enumerate(boxes[:MAX_SEPARATE], 1):
            image = await self._take(self._part(box))
            images.append(Extra.element(number, image.data, self._options.format.extension))
        left_out = f"element-{MAX_SEPARATE + 1} to element-{len(boxes)}"
        return images, {left_out: f"more than {MAX_SEPARATE} elements"} if len(boxes) > MAX_SEPARATE else {}

    async def _take(self, clip: dict[str, float] | None) -> Screenshot:
        """Raises ScreenshotStalled if it does not come."""
        options = self._options
        is_avif = options.format is ImageFormat.AVIF
        parameters: dict[str, Any] = {
            "format": "png" if is_avif else options.format.value,
            "optimizeForSpeed": is_avif or options.format is ImageFormat.PNG,
        }
        if options.quality is not None and not is_avif:
            parameters["quality"] = options.quality
        if clip is not None:
            beyond = not await self._is_in_window(clip)
            parameters |= {"clip": {"scale": 1, **clip}, "captureBeyondViewport": beyond}
        async with contextlib.nullcontext() if clip is None else unnoticed(self._session, options):
            answer = self._session.send("Page.captureScreenshot", parameters)
            if not (await asyncio.wait({answer}, timeout=STALL_SECONDS))[0]:
                raise ScreenshotStalled
        data = answer.result()["data"].content
        width, height = imagesize.get(io.BytesIO(data))
        if is_avif:
            data = await asyncio.to_thread(to_avif, data, options.quality or DEFAULT_AVIF_QUALITY)
        return Screenshot(data, width, height)

    async def _is_in_window(self, clip: dict[str, float]) -> bool:
        """Whether the window shows all of the clip already. Otherwise Chromium lays out and paints a larger one."""
        window = self._options.viewport
        is_within = clip["x"] + clip["width"] <= window.width and clip["y"] + clip["height"] <= window.height
        if self._options.full_page or self._options.mobile or not is_within:
            return False
        return bool(await self._world.evaluate("scrollX === 0 && scrollY === 0"))

    async def screenshot_of_content(
        self, layout: Layout, patience: Patience, tiles: Callable[[], Awaitable[bytes]] | None = None
    ) -> tuple[Screenshot, bool]:
        """Take the screenshot, in tiles if they are given, or else again if it is blank.

        Returns it, and whether it is still blank.
        """
        await hold_still(self._world, self._options)
        if tiles is not None:
            self.origin = (0, 0)
            data = await tiles()
            return Screenshot(data, *imagesize.get(io.BytesIO(data))), False
        clip = await self._clip(layout)
        self.origin = (clip["x"], clip["y"]) if clip is not None else None
        screenshot = await self._take(clip)
        blank = await is_blank(screenshot)
        for pause in BLANK_PAUSES_SECONDS if patience.has_reserve else ():
            if not blank or not await self._world.evaluate(HAS_CONTENT):
                break
            await asyncio.sleep(pause)
            screenshot = await self._take(await self._clip(layout))
            blank = await is_blank(screenshot)
        return screenshot, blank

    async def _clip(self, layout: Layout) -> dict[str, float] | None:
        options = self._options
        if options.full_page:
            height = min(layout.height, options.height_cap / layout.scale)
            await place_fixed(self._world, round(height))
            if layout.scale != 1:
                return {"x": 0, "y": 0, "width": layout.width, "height": height, "scale": layout.scale}
            return self._bounded(0, 0, layout.shown_width, height)
        if options.clip is not None:
            if options.clip.x >= layout.shown_width or options.clip.y >= layout.height:
                size = f"{layout.shown_width} x {layout.height}"
                raise InvalidRequest(f"options: clip: begins outside the page, which is {size} CSS pixels large")
            return self._bounded(options.clip.x, options.clip.y, options.clip.width, options.clip.height)
        if not options.selectors:
            return None
        return self._part(Box.around(await self._boxes()))

    async def _boxes(self) -> list[Box]:
        """Of every element that is captured, in the order of the selectors."""
        count = MAX_MATCHES if self._options.matches == "all" else 1
        return [box for each in self._options.selectors for box in await boxes_of(self._world, each, count)]

    def _part(self, box: Box) -> dict[str, float]:
        box = box.outwards(self._options.padding, self._options.device_scale_factor)
        return self._bounded(box.left, box.top, box.right - box.left, box.bottom - box.top)

    def _bounded(self, x: float, y: float, width: float, height: float) -> dict[str, float]:
        """A clip no larger than the encoding and the memory can hold."""
        options, scale = self._options, self._options.device_scale_factor
        width = min(width, options.format.max_side / scale)
        by_memory = options.max_pixels / (width * scale**2)
        return {"x": x, "y": y, "width": width, "height": min(height, options.format.max_side / scale, by_memory)}


async def is_blank(screenshot: Screenshot) -> bool:
    """Whether a whole screenshot is one colour."""
    max_blank_bits = screenshot.width * screenshot.height * MAX_BLANK_BITS_PER_PIXEL
    if len(screenshot.data) * 8 > max_blank_bits:
        return False
    return await asyncio.to_thread(is_one_colour, screenshot.data)
