"""Screen, preferences, place and identity, set before the page has a chance to ask."""

from __future__ import annotations

import asyncio
from typing import Any

from pyppeteer.connection import CDPSession
from pyppeteer.errors import NetworkError

from stillframe.errors import InvalidRequest
from stillframe.options import RenderOptions
from stillframe.options.emulation import EmulationOptions

HEADLESS, ORDINARY = "HeadlessChrome", "Chrome"
TRANSPARENT = {"r": 0, "g": 0, "b": 0, "a": 0}


def permissions_of(options: EmulationOptions) -> list[str]:
    """What the page may do without being asked: nothing, but to know the place that it is given."""
    return ["geolocation"] if options.geolocation is not None else []


async def emulate(session: CDPSession, options: RenderOptions, default_user_agent: str) -> None:
    """Apply the options. Raises InvalidRequest for a time zone or a locale that the browser does not know."""
    commands = _commands(options, default_user_agent)
    results = await asyncio.gather(*(session.send(*each) for each in commands), return_exceptions=True)
    for (method, _), result in zip(commands, results, strict=True):
        if isinstance(result, NetworkError) and method == "Emulation.setTimezoneOverride":
            raise InvalidRequest(f"options: timezone: the browser knows no zone {options.timezone}") from result
        if isinstance(result, NetworkError) and method == "Emulation.setLocaleOverride":
            raise InvalidRequest(f"options: locale: the browser knows no locale {options.locale}") from result
        if isinstance(result, BaseException):
            raise result


def _commands(options: RenderOptions, default_user_agent: str) -> list[tuple[str, dict[str, Any]]]:
    viewport = options.viewport
    features = {
        "prefers-color-scheme": options.color_scheme.value,
        "prefers-reduced-motion": "reduce" if options.reduced_motion else "no-preference",
    }
    # Many sites turn a browser away that calls itself headless.
    identity = {"userAgent": options.user_agent or default_user_agent.replace(HEADLESS, ORDINARY)}
    if options.locale is not None:
        identity["acceptLanguage"] = options.locale
    commands: list[tuple[str, dict[str, Any]]] = [
        (
            "Emulation.setDeviceMetricsOverride",
            {
                "width": viewport.width,
                "height": viewport.height,
                "deviceScaleFactor": options.device_scale_factor,
                "mobile": options.mobile,
            },
        ),
        (
            "Emulation.setEmulatedMedia",
            {
                "media": options.media.value,
                "features": [{"name": name, "value": value} for name, value in features.items()],
            },
        ),
        ("Emulation.setUserAgentOverride", identity),
    ]
    if options.touch:
        commands.append(("Emulation.setTouchEmulationEnabled", {"enabled": True}))
    if options.locale is not None:
        commands.append(("Emulation.setLocaleOverride", {"locale": options.locale}))
    if options.timezone is not None:
        commands.append(("Emulation.setTimezoneOverride", {"timezoneId": options.timezone}))
    if options.geolocation is not None:
        commands.append(("Emulation.setGeolocationOverride", options.geolocation.model_dump()))
    if not options.java_script_enabled:
        commands.append(("Emulation.setScriptExecutionDisabled", {"value": True}))
    if options.omit_background:
        commands.append(("Emulation.setDefaultBackgroundColorOverride", {"color": TRANSPARENT}))
    if options.offline:
        conditions = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        commands.append(("Network.emulateNetworkConditions", conditions))
    return commands
