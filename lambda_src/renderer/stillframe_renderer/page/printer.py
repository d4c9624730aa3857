"""Prints a page as a PDF."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.errors import InvalidRequest
from stillframe.request.options import RenderOptions
from stillframe.request.options.pdf import MAX_SHEET_MM, MILLIMETRES_PER_INCH

from ..chromium.transport import CommandRefused
from .camera import Layout, Screenshot
from .patience import Patience
from .print_scripts import CONTENT_HEIGHT, EXPAND_SCROLLERS, PIN_HEIGHTS, REMEMBER_HEIGHTS, SHEET_SIZES, SHOW_ALL
from .scripts import ADOPT
from .seen import FIND_LOST
from .sheet import PIXELS_PER_MM, PrintedSheets, parse_size, read_sheets, true_size
from .stillness import hold_still
from .world import World

# Without a template of the request's, Chromium prints one of its own.
EMPTY_TEMPLATE = "<span></span>"
# Chromium's own style sheet for templates makes text tiny, and their boxes as wide as their text.
TEMPLATE_BOX = '<div style="font-size: 9px; width: 100%%; box-sizing: border-box; padding: 0 %gmm 0 %gmm">%s</div>'
NO_BREAKS = """*, ::before, ::after {
  break-before: auto !important; break-after: auto !important; break-inside: auto !important; page: auto !important
}"""
# A single sheet that is too short gets longer by this much, so many times: print may lay out a page a little taller.
GROWTH = 1.05
MAX_SINGLE_SHEETS = 4
MIN_SCALED_WIDTH = 16
# The window grows to this height (CSS pixels) for pages that show things only while they are in view.
MAX_WINDOW_HEIGHT = 20_000
# What Chromium says of values that only it can judge, by the option that must change.
REFUSALS = {
    "Page range": "pageRanges: must begin within the document, which has fewer pages",
    "content area is empty": "marginMm: must leave room on the sheet, which is smaller than its margins",
}


class Printer:
    """Prints one page. A page's own sheet and margins apply, unless the request names them."""

    def __init__(self, session: CDPSession, world: World, options: RenderOptions) -> None:
        self._session = session
        self._world = world
        self._options = options
        self._pdf = options.pdf

    async def expand(self) -> None:
        """Make what scrolls in an element of its own a part of the page. The caller bounds the time."""
        if self._pdf.single_page:
            # The width that its content will have on paper.
            await self._lay_out(self._content_width)
        await self._world.evaluate(f"({EXPAND_SCROLLERS})({self._content_width})")

    async def screenshot_of_content(
        self, layout: Layout, patience: Patience, tiles: object = None
    ) -> tuple[Screenshot, bool]:
        """Print the page, in place of `Camera.screenshot_of_content`. A PDF needs no tiles and is never blank."""
        if await self._world.evaluate(FIND_LOST) is not None:
            await self._bring_all_into_view()
        await hold_still(self._world, self._options)
        return await self._print(), False

    async def _print(self) -> Screenshot:
        # What has appeared since may scroll as well.
        await self._world.evaluate(f"({EXPAND_SCROLLERS})({self._content_width})")
        sheet = self._pdf.sheet_mm
        # Of the page only, and before this module adds rules of its own.
        sizes = [] if self._pdf.names_sheet else await self._world.evaluate(SHEET_SIZES) or []
        if self._pdf.single_page:
            data, printed, sheet = await self._print_one_sheet(sheet[0])
        else:
            await self._apply_named(sheet)
            data, printed = await self._send(sheet)
        named = [size for size in map(parse_size, sizes) if size is not None]
        width, height = true_size(printed, [*named, (sheet[0] * PIXELS_PER_MM, sheet[1] * PIXELS_PER_MM)])
        return Screenshot(data, width, height)

    async def _print_one_sheet(self, width: float) -> tuple[bytes, PrintedSheets, tuple[float, float]]:
        await self._world.evaluate(ADOPT % json.dumps(NO_BREAKS))
        top, _, bottom, _ = self._pdf.margins_mm
        content = (await self._world.evaluate(CONTENT_HEIGHT) or 0) * self._pdf.scale / PIXELS_PER_MM
        for attempt in range(MAX_SINGLE_SHEETS):
            # Chromium rounds down to whole points, and a fraction of a pixel would need another sheet.
            height = min(content * GROWTH**attempt + top + bottom + 1, MAX_SHEET_MM)
            await self._apply_named((width, height))
            data, printed = await self._send((width, height))
            if printed.count <= 1 or height >= MAX_SHEET_MM:
                break
        return data, printed, (width, height)

    async def _bring_all_into_view(self) -> None:
        """Make the window as high as the page, which has hidden again what it showed while it was scrolled through."""
        width = self._content_width if self._pdf.single_page else self._options.viewport.width
        await self._lay_out(width)
        content = int(await self._world.evaluate(CONTENT_HEIGHT) or 0)
        await self._resize(width, max(self._options.viewport.height, min(content, MAX_WINDOW_HEIGHT)))
        await self._world.evaluate(SHOW_ALL)

    async def _lay_out(self, width: int) -> None:
        """Give the window a width, and free the page from the window's height."""
        height = self._options.viewport.height
        await self._resize(width, height)
        await self._world.evaluate(REMEMBER_HEIGHTS)
        await self._resize(width, height // 2)
        await self._world.evaluate(PIN_HEIGHTS)
        await self._resize(width, height)

    @property
    def _content_width(self) -> int:
        """The width between the margins in CSS pixels, if the page does not name others."""
        _, right, _, left = self._pdf.margins_mm
        return max(MIN_SCALED_WIDTH, round((self._pdf.sheet_mm[0] - left - right) * PIXELS_PER_MM / self._pdf.scale))

    async def _resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": self._options.device_scale_factor}
        await self._session.send("Emulation.setDeviceMetricsOverride", {**metrics, "mobile": False})

    async def _apply_named(self, sheet: tuple[float, float]) -> None:
        """Overrule the page's own sheet and margins by those that the request names."""
        rules = []
        if self._pdf.names_sheet:
            rules.append(f"size: {sheet[0]:.4f}mm {sheet[1]:.4f}mm !important")
        if self._pdf.names_margins:
            rules.append(f"margin: {' '.join(f'{side:.4f}mm' for side in self._pdf.margins_mm)} !important")
        if rules:
            await self._world.evaluate(ADOPT % json.dumps(f"@page {{ {'; '.join(rules)} }}"))

    async def _send(self, sheet: tuple[float, float]) -> tuple[bytes, PrintedSheets]:
        """Print with the sheet and margins for pages that do not name theirs."""
        top, right, bottom, left = (side / MILLIMETRES_PER_INCH for side in self._pdf.margins_mm)
        parameters: dict[str, Any] = {
            "paperWidth": sheet[0] / MILLIMETRES_PER_INCH,
            "paperHeight": sheet[1] / MILLIMETRES_PER_INCH,
            "preferCSSPageSize": True,
            "marginTop": top,
            "marginBottom": bottom,
            "marginLeft": left,
            "marginRight": right,
            "scale": self._pdf.scale,
            "printBackground": self._pdf.background,
            "pageRanges": self._pdf.page_ranges or "",
            "generateTaggedPDF": self._pdf.tagged,
            "generateDocumentOutline": self._pdf.outline,
            **self._templates(),
        }
        try:
            answer = await self._session.send("Page.printToPDF", parameters)
        except CommandRefused as error:
            for words, problem in REFUSALS.items():
                if words in str(error):
                    raise InvalidRequest(f"options: pdf.{problem}") from error
            raise
        data: bytes = answer["data"].content
        return data, await asyncio.to_thread(read_sheets, data)

    def _templates(self) -> dict[str, Any]:
        if self._pdf.header is None and self._pdf.footer is None:
            return {}
        _, right, _, left = self._pdf.margins_mm
        header, footer = (
            EMPTY_TEMPLATE if template is None else TEMPLATE_BOX % (right, left, template)
            for template in (self._pdf.header, self._pdf.footer)
        )
        return {"displayHeaderFooter": True, "headerTemplate": header, "footerTemplate": footer}
