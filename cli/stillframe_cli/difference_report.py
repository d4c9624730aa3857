"""What `diff --out` writes: both images and what changed, as one image or as a page with a handle between them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

from stillframe.comparison.difference import Difference
from stillframe.comparison.pixels import UNDECODABLE

from .templates import environment

# In JSON, and for people. The marked image shows all regions.
MAX_REGIONS = 100
MAX_LISTED = 10
GAP = 24
LABEL_HEIGHT = 44
LABEL_SIZE = 22
BACKGROUND, INK, EDGE = "#eef1f4", "#17202a", "#c3cbd4"


def describe(difference: Difference) -> str:
    """What changed, in a sentence or two."""
    if difference.box is None:
        return "Nothing changed, but something moved." if difference.moved else "The images are equal."
    left, top, right, bottom = difference.box
    return (
        f"{difference.pixels:.2%} of the pixels changed, between {left},{top} and {right},{bottom}. "
        f"The overall appearance changed by {difference.perceived:.0%}."
    )


def details(difference: Difference) -> list[str]:
    """A line for each of the largest regions and for everything that moved."""
    lines = []
    for region in difference.regions[:MAX_LISTED]:
        left, top, right, bottom = region.box
        lines.append(f"{region.kind.value}: {right - left} x {bottom - top} at {left},{top}")
    if len(difference.regions) > MAX_LISTED:
        lines.append(f"... and {len(difference.regions) - MAX_LISTED} smaller regions")
    for move in difference.moved[:MAX_LISTED]:
        direction = "down" if move.by > 0 else "up"
        lines.append(f"moved {direction} by {abs(move.by)} pixels: the lines {move.top} to {move.bottom}")
    return lines


def describe_region(region: Mapping[str, Any]) -> str:
    """A line for a region as records and checks have it, with the element that is there."""
    left, top, right, bottom = map(int, region["box"])
    element = f": {region['selector']}" if region.get("selector") else ""
    text = f' "{region["text"]}"' if region.get("text") else ""
    return f"{region['kind']}: {right - left} x {bottom - top} at {left},{top}{element}{text}"


def report(path: Path, before: bytes, after: bytes, difference: Difference) -> bytes:
    """The report in the format that the file's suffix names: a page (.html), or else an image (PNG)."""
    if path.suffix.lower() in (".html", ".htm"):
        return _page(before, after, difference).encode()
    return _sheet({"before": before, "after": after, "changed": difference.marked})


def _sheet(images: dict[str, bytes]) -> bytes:
    """The images side by side, each below its name."""
    panels = {name: ImageOps.expand(_decoded(data), 1, EDGE) for name, data in images.items()}
    width = sum(panel.width for panel in panels.values()) + GAP * (len(panels) + 1)
    height = max(panel.height for panel in panels.values()) + LABEL_HEIGHT + GAP
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LABEL_SIZE)
    left = GAP
    for name, panel in panels.items():
        draw.text((left, LABEL_HEIGHT // 2), name, INK, font, anchor="lm")
        sheet.paste(panel, (left, LABEL_HEIGHT))
        left += panel.width + GAP
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _page(before: bytes, after: bytes, difference: Difference) -> str:
    images = {"before": before, "after": after, "changed": difference.marked}
    return (
        environment()
        .get_template("difference.html.j2")
        .render(
            sources={name: data_url(data) for name, data in images.items()},
            summary=describe(difference),
            details=details(difference),
        )
    )


def _decoded(data: bytes) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def data_url(data: bytes) -> str | None:
    """An image as a URL that needs no file, None if it is none."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind = Image.MIME[image.format or "PNG"]
    except UNDECODABLE:
        return None
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
