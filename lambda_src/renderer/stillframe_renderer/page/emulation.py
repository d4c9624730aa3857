"""Emulation of the screen, the user's preferences and place, and the user agent, set before the page can run."""

from __future__ import annotations

import asyncio
from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.errors import InvalidRequest
from stillframe.request.options import RenderOptions
from stillframe.request.options.emulation import EmulationOptions

from .identity import identity_of
from .preparation import Preparation

# The window has no borders. A page may overwrite these properties as well (CSSOM View, 4, [Replaceable]).
OUTER_SIZE = "outerWidth = %d; outerHeight = %d"
TRANSPARENT = {"r": 0, "g": 0, "b": 0, "a": 0}


def permissions_of(options: EmulationOptions) -> list[str]:
    """The permissions that the page gets: none, except geolocation if the options set a place."""
    return ["geolocation"] if options.geolocation is not None else []


def emulate(page: Preparation, options: RenderOptions, default_user_agent: str) -> None:
    """Send the commands that apply the options.

    `page.confirm` raises InvalidRequest for a locale or a time zone that the browser does not know.
    """
    viewport = options.viewport
    features = {
        "prefers-color-scheme": options.color_scheme.value,
        "prefers-reduced-motion": "reduce" if options.reduced_motion else "no-preference",
    }
    page.send("Emulation.setDeviceMetricsOverride", _metrics(options))
    if options.mobile:
        # Otherwise a page wider than the screen would start at the scale that fits it into Chromium's own window.
        page.send("Emulation.resetPageScaleFactor")
    else:
        # For a mobile device Chromium sets it itself.
        page.send("Page.addScriptToEvaluateOnNewDocument", {"source": OUTER_SIZE % (viewport.width, viewport.height)})
    page.send(
        "Emulation.setEmulatedMedia",
        {
            "media": options.media.value,
            "features": [{"name": name, "value": value} for name, value in features.items()],
        },
    )
    page.send("Emulation.setUserAgentOverride", identity_of(options, default_user_agent))
    if options.touch:
        # Also replaces the mouse that the browser's command line gives to every page: see flags.py.
        page.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    if options.locale is not None:
        unknown = InvalidRequest(f"options: locale: the browser does not know the locale {options.locale}")
        page.send("Emulation.setLocaleOverride", {"locale": options.locale}, unknown)
    if options.timezone is not None:
        unknown = InvalidRequest(f"options: timezone: the browser does not know the time zone {options.timezone}")
        page.send("Emulation.setTimezoneOverride", {"timezoneId": options.timezone}, unknown)
    if options.geolocation is not None:
        page.send("Emulation.setGeolocationOverride", options.geolocation.model_dump())
    if not options.java_script_enabled:
        page.send("Emulation.setScriptExecutionDisabled", {"value": True})
    if options.omit_background:
        page.send("Emulation.setDefaultBackgroundColorOverride", {"color": TRANSPARENT})
    if options.offline:
        conditions = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.send("Network.emulateNetworkConditions", conditions)


async def resize(session: CDPSession, options: RenderOptions) -> None:
    """Give a page that has loaded the window of these options, as if its visitor had resized it."""
    viewport = options.viewport
    # In order: the page is told of its new size once it has both.
    outer = {"expression": OUTER_SIZE % (viewport.width, viewport.height)}
    commands = [] if options.mobile else [session.send("Runtime.evaluate", outer)]
    commands.append(session.send("Emulation.setDeviceMetricsOverride", _metrics(options)))
    if options.mobile:
        commands.append(session.send("Emulation.resetPageScaleFactor"))
    await asyncio.gather(*commands)


async def set_background(session: CDPSession, options: RenderOptions) -> None:
    """Make the background of a page that has loaded transparent, or white again."""
    colour = {"color": TRANSPARENT} if options.omit_background else {}
    await session.send("Emulation.setDefaultBackgroundColorOverride", colour)


def _metrics(options: RenderOptions) -> dict[str, Any]:
    viewport = options.viewport
    is_upright = viewport.height > viewport.width
    return {
        "width": viewport.width,
        "height": viewport.height,
        # The window fills the screen.
        "screenWidth": viewport.width,
        "screenHeight": viewport.height,
        "screenOrientation": {"type": "portraitPrimary" if is_upright else "landscapePrimary", "angle": 0},
        "deviceScaleFactor": options.device_scale_factor,
        "mobile": options.mobile,
    }
