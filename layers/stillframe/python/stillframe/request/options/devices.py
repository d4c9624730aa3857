"""Devices and presets: names that set several options at once. Options set in the request take precedence."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
SAFARI = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {APPLE}"
IPAD = f"Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) {APPLE}"
# Since version 110, Chrome on Android reveals no more of the device ("User-Agent reduction").
ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36"
)


def _handheld(width: int, height: int, scale: float, user_agent: str) -> dict[str, Any]:
    return {
        "viewport": {"width": width, "height": height},
        "deviceScaleFactor": scale,
        "mobile": True,
        "touch": True,
        "userAgent": user_agent,
    }


def _screen(width: int, height: int, scale: float = 1.0) -> dict[str, Any]:
    return {"viewport": {"width": width, "height": height}, "deviceScaleFactor": scale}


DEVICES: dict[str, dict[str, Any]] = {
    "iphone-se": _handheld(375, 667, 2.0, SAFARI),
    "iphone-15": _handheld(393, 852, 3.0, SAFARI),
    "iphone-15-pro-max": _handheld(430, 932, 3.0, SAFARI),
    "ipad-mini": _handheld(768, 1024, 2.0, IPAD),
    "ipad-pro-11": _handheld(834, 1194, 2.0, IPAD),
    "pixel-8": _handheld(412, 915, 2.625, ANDROID),
    "galaxy-s24": _handheld(360, 780, 3.0, ANDROID),
    "laptop": _screen(1440, 900),
    "laptop-hidpi": _screen(1440, 900, 2.0),
    "desktop": _screen(1920, 1080),
    "desktop-4k": _screen(3840, 2160),
}


def _check_device(name: str) -> str:
    if name not in DEVICES:
        raise PydanticCustomError("device", "unknown device")
    return name


DeviceName = Annotated[str, Field(json_schema_extra={"enum": sorted(DEVICES)}), AfterValidator(_check_device)]

PRESETS: dict[str, dict[str, Any]] = {
    # The size that consumers of Open Graph images recommend.
    "link-preview": {"viewport": {"width": 1200, "height": 630}, "format": "jpeg", "quality": 80},
    "archive": {
        "fullPage": True,
        "maxHeight": 30_000,
        "format": "webp",
        "quality": 85,
        "reducedMotion": True,
        "save": ["mhtml"],
    },
    "print": {"format": "pdf", "media": "print"},
    "mobile": {**DEVICES["iphone-15"], "fullPage": True},
    "repeatable": {
        "reducedMotion": True,
        "animations": "stop",
        "clock": "2026-01-01T12:00:00Z",
        "randomSeed": 1,
        "locale": "en-US",
        "timezone": "UTC",
    },
}
