"""Render options on the command line: common ones as flags, all of them as JSON."""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from stillframe.errors import InvalidRequest
from stillframe.request.options import ImageFormat, RenderOptions, WaitUntil
from stillframe.request.options.devices import DEVICES, PRESETS

from .finite import FiniteRange
from .text import read_text

F = TypeVar("F", bound=Callable[..., Any])
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s)?")
FORMATS = {"jpg": "jpeg"}
MIN_LIKENESS = 0.5
# The value of --options that names a file.
FILE_MARK = "@"


class NearChoice(click.Choice[str]):
    """A choice that suggests the nearest value for one that does not exist."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(choices, case_sensitive=False)

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """Name the value that was probably meant, and all of them."""
        near = difflib.get_close_matches(str(value).lower(), list(self.choices), 1, MIN_LIKENESS)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"{str(value)!r} does not exist; {hint}Choose from: {', '.join(self.choices)}."


FLAGS = (
    click.option("--full-page", is_flag=True, help="Capture the whole page instead of the window."),
    click.option("--width", type=click.IntRange(16, 4096), metavar="PX", help="Width of the window.  [default: 1280]"),
    click.option("--height", type=click.IntRange(16, 8192), metavar="PX", help="Height of the window.  [default: 800]"),
    click.option("--scale", type=FiniteRange(0.5, 4), metavar="N", help="Device pixels per CSS pixel."),
    click.option("--selector", metavar="CSS", help="Capture the first element that matches this selector."),
    click.option(
        "--format",
        "image_format",
        type=NearChoice([*map(str, ImageFormat), *FORMATS]),
        help="Format of the image.  [default: png]",
    ),
    click.option("--quality", type=click.IntRange(1, 100), metavar="N", help="Quality of a JPEG, WebP or AVIF image."),
    click.option("--device", type=NearChoice(sorted(DEVICES)), metavar="NAME", help="Emulate a device: iphone-15, ..."),
    click.option(
        "--preset",
        "render_preset",
        type=NearChoice(sorted(PRESETS)),
        help="Options for a purpose. Other options take precedence over it.",
    ),
    click.option("--dark", is_flag=True, help="Prefer the dark colour scheme."),
    click.option(
        "--wait",
        metavar="WHAT",
        help=f"Wait longer: a time (500ms, 2s), a state ({', '.join(WaitUntil)}), or a CSS selector that must appear.",
    ),
    click.option(
        "--fail-on-status", is_flag=True, help="Let a page fail that answers with an HTTP status of 400 or above."
    ),
    click.option(
        "--options",
        metavar="JSON|@FILE",
        help="Any render options (docs/options.md), for example '{\"blockAds\": true}'. Flags take precedence.",
    ),
)


def render_options(command: F) -> F:
    """Add the flags for render options. The command gets the options with their wire names as `options`."""

    @functools.wraps(command)
    def wrapper(
        *args: Any,
        full_page: bool,
        width: int | None,
        height: int | None,
        scale: float | None,
        selector: str | None,
        image_format: str | None,
        quality: int | None,
        device: str | None,
        render_preset: str | None,
        dark: bool,
        wait: str | None,
        fail_on_status: bool,
        options: str | None,
        **kwargs: Any,
    ) -> Any:
        flags = {
            "fullPage": full_page or None,
            "deviceScaleFactor": scale,
            "selector": selector,
            "format": FORMATS.get(image_format, image_format) if image_format else None,
            "quality": quality,
            "device": device,
            "preset": render_preset,
            "colorScheme": "dark" if dark else None,
            "failOnStatus": fail_on_status or None,
        }
        merged = parse_options(options) | {name: value for name, value in flags.items() if value is not None}
        merged |= parse_wait(wait) if wait else {}
        merged |= _viewport(merged, width, height)
        return command(*args, options=check_options(merged), **kwargs)

    for flag in reversed(FLAGS):
        wrapper = flag(wrapper)
    return wrapper  # type: ignore[return-value]


def parse_options(text: str | None) -> dict[str, Any]:
    """Parse the value of `--options`, a JSON object or `@` and the name of a file with one. Raises click.UsageError."""
    source = "--options"
    if text is not None and text.startswith(FILE_MARK):
        source = f"--options {text}"
        text = read_text(text.removeprefix(FILE_MARK), "--options")
    try:
        options = json.loads(text or "{}")
    except ValueError as error:
        hint = "" if (text or "").lstrip().startswith(("{", "[")) else "; to read a file, use --options @FILE"
        raise click.UsageError(f"{source} is not JSON: {error}{hint}") from error
    if not isinstance(options, dict):
        raise click.UsageError(f'{source} must be a JSON object, for example {{"fullPage": true}}')
    return options


def parse_wait(text: str) -> dict[str, Any]:
    """Return the options that a value of `--wait` stands for: a time, a state of the page, or else a selector."""
    duration = DURATION.fullmatch(text)
    if duration:
        return {"delayMs": round(float(duration[1]) * (1000 if duration[2] == "s" else 1))}
    if text in list(WaitUntil):
        return {"waitUntil": text}
    return {"waitForSelector": text}


def check_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options if they are valid. Raises click.UsageError that names each one that is not."""
    try:
        RenderOptions.parse(options)
    except InvalidRequest as error:
        raise click.UsageError(error.message) from error
    return options


def _viewport(options: dict[str, Any], width: int | None, height: int | None) -> dict[str, Any]:
    """The window with the given sides; a side that is not given is that of the other options."""
    sides = {name: value for name, value in (("width", width), ("height", height)) if value is not None}
    if not sides:
        return {}
    named: list[dict[str, Any]] = [
        PRESETS.get(options.get("preset", ""), {}),
        DEVICES.get(options.get("device", ""), {}),
        options,
    ]
    window: dict[str, Any] = next(
        (each["viewport"] for each in reversed(named) if isinstance(each.get("viewport"), dict)), {}
    )
    return {"viewport": {**window, **sides}}
