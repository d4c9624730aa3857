"""Render options: ranges, conflicts, and error messages that say what to do."""

from __future__ import annotations

import pytest

from stillframe.errors import InvalidRequest
from stillframe.request.options import ImageFormat, RenderOptions


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("deviceScaleFactor", 0.5, 4),
        ("delayMs", 0, 30_000),
        ("timeoutMs", 100, 120_000),
    ],
)
def test_a_number_is_accepted_within_its_range_only(name: str, lowest: float, highest: float) -> None:
    for inside in (lowest, highest):
        RenderOptions.parse({name: inside})
    for outside in (lowest - 0.1 if lowest == 0.5 else lowest - 1, highest + 1):
        with pytest.raises(InvalidRequest, match=rf"{name}: .*range {lowest} to {highest}"):
            RenderOptions.parse({name: outside})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"viewport": {"width": 15}}, ["viewport.width", "range 16 to 4096"]),
        ({"viewport": {"height": 8193}}, ["viewport.height", "range 16 to 8192"]),
        ({"viewport": {"depth": 1}}, ["viewport.depth"]),
        ({"viewport": "1280x800"}, ["viewport"]),
        ({"quality": 0, "format": "jpeg"}, ["quality", "range 1 to 100"]),
        ({"quality": 101, "format": "webp"}, ["quality", "range 1 to 100"]),
        ({"quality": 80}, ["quality needs format", "jpeg, webp or avif"]),
        ({"maxHeight": 500}, ["maxHeight needs fullPage"]),
        ({"maxHeight": 60_001, "fullPage": True}, ["maxHeight", "range 16 to 60000"]),
        ({"format": "gif"}, ["format", "png", "jpeg", "webp"]),
        ({"waitUntil": "forever"}, ["waitUntil", "load", "domcontentloaded", "networkidle"]),
        ({"fullpage": True}, ["fullpage", "is not an option", "fullPage"]),
        ({"fullPage": "yes"}, ["fullPage"]),
        ({"delayMs": 1.5}, ["delayMs"]),
        ({"delayMs": True}, ["delayMs"]),
        ({"deviceScaleFactor": 4, "viewport": {"width": 4096, "height": 4096}}, ["viewport", "deviceScaleFactor"]),
    ],
)
def test_a_wrong_option_is_refused_with_its_name_and_range(options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        RenderOptions.parse(options)
    assert [word for word in words if word not in refused.value.message] == []


def test_all_wrong_options_are_named_together() -> None:
    with pytest.raises(InvalidRequest, match=r"delayMs.*; .*timeoutMs"):
        RenderOptions.parse({"delayMs": -1, "timeoutMs": 0})


@pytest.mark.parametrize(
    ("options", "cap"),
    [
        ({"fullPage": True}, 16_384),
        ({"fullPage": True, "maxHeight": 60_000}, 60_000),
        ({"fullPage": True, "maxHeight": 2000}, 2000),
        # WebP has 14 bits for a side, JPEG 16; memory bounds the rest.
        ({"fullPage": True, "format": "webp"}, 16_383),
        ({"fullPage": True, "format": "webp", "deviceScaleFactor": 2}, 8191),
        ({"fullPage": True, "maxHeight": 60_000, "format": "jpeg", "deviceScaleFactor": 2}, 19_531),
        (
            {
                "fullPage": True,
                "maxHeight": 60_000,
                "viewport": {"width": 320},
                "deviceScaleFactor": 2,
                "format": "jpeg",
            },
            32_750,
        ),
    ],
)
def test_the_height_of_a_full_page_is_capped_by_option_encoding_and_memory(
    options: dict[str, object], cap: int
) -> None:
    assert RenderOptions.parse(options).height_cap == cap


def test_a_format_knows_its_extension_and_content_type() -> None:
    assert [(each.extension, each.content_type) for each in ImageFormat] == [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("webp", "image/webp"),
        ("avif", "image/avif"),
        ("pdf", "application/pdf"),
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"html": "😀" * 100_000},
        {"css": "é" * 50_000, "js": "é" * 50_000, "html": "x" * 100_000},
        {"hide": ["漢" * 1000] * 100},
    ],
)
def test_options_too_large_for_a_record_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match="larger than 200,000 bytes"):
        RenderOptions.parse(options)
    # Options within the limit may use their full length.
    RenderOptions.parse({"html": "x" * 100_000, "css": "y" * 50_000})
