"""Screen, preferences, place and identity, set before the page has a chance to ask."""

from __future__ import annotations

from stillframe.errors import InvalidRequest
from stillframe.request.options import RenderOptions
from stillframe.request.options.emulation import EmulationOptions

from .preparation import Preparation

HEADLESS, ORDINARY = "HeadlessChrome", "Chrome"
# The window is no larger than what is in it. A page may set these as well (CSSOM View, 4, [Replaceable]).
OUTER_SIZE = "outerWidth = %d; outerHeight = %d"
TRANSPARENT = {"r": 0, "g": 0, "b": 0, "a": 0}


def permissions_of(options: EmulationOptions) -> list[str]:
    """What the page may do without being asked: nothing, but to know the place that it is given."""
    return ["geolocation"] if options.geolocation is not None else []


def emulate(page: Preparation, options: RenderOptions, default_user_agent: str) -> None:
    """Apply the options. The page refuses a time zone or a locale that the browser does not know."""
    viewport = options.viewport
    features = {
        "prefers-color-scheme": options.color_scheme.value,
        "prefers-reduced-motion": "reduce" if options.reduced_motion else "no-preference",
    }
    # Many sites turn a browser away that calls itself headless.
    identity = {"userAgent": options.user_agent or default_user_agent.replace(HEADLESS, ORDINARY)}
    if options.locale is not None:
        identity["acceptLanguage"] = options.locale
    is_upright = viewport.height > viewport.width
    page.send(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": viewport.width,
            "height": viewport.height,
            # The window fills the screen.
            "screenWidth": viewport.width,
            "screenHeight": viewport.height,
            "screenOrientation": {"type": "portraitPrimary" if is_upright else "landscapePrimary", "angle": 0},
            "deviceScaleFactor": options.device_scale_factor,
            "mobile": options.mobile,
        },
    )
    if options.mobile:
        # Or a page that is wider than the screen would begin at the scale that fits it to Chromium's own window.
        page.send("Emulation.resetPageScaleFactor")
    else:
        # Of a handheld Chromium knows it.
        page.send("Page.addScriptToEvaluateOnNewDocument", {"source": OUTER_SIZE % (viewport.width, viewport.height)})
    page.send(
        "Emulation.setEmulatedMedia",
        {
            "media": options.media.value,
            "features": [{"name": name, "value": value} for name, value in features.items()],
        },
    )
    page.send("Emulation.setUserAgentOverride", identity)
    if options.touch:
        page.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    if options.locale is not None:
        unknown = InvalidRequest(f"options: locale: the browser knows no locale {options.locale}")
        page.send("Emulation.setLocaleOverride", {"locale": options.locale}, unknown)
    if options.timezone is not None:
        unknown = InvalidRequest(f"options: timezone: the browser knows no zone {options.timezone}")
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
