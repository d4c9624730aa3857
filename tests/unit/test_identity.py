"""The client hints and the platform say the same as the user agent."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.request.options import RenderOptions
from stillframe_renderer.page.identity import identity_of, languages_of

OURS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.80.1 Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36"
EDGE = f"{WINDOWS} Edg/140.1.0.0"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def identity(**options: Any) -> dict[str, Any]:
    return identity_of(RenderOptions.parse(options), OURS)


@pytest.mark.parametrize(
    ("options", "hinted", "version", "platform", "is_mobile"),
    [
        ({}, "Linux", "", "Linux x86_64", False),
        ({"mobile": True}, "Linux", "", "Linux x86_64", True),
        ({"device": "laptop"}, "Linux", "", "Linux x86_64", False),
        ({"device": "pixel-8"}, "Android", "10", "Linux armv81", True),
        ({"device": "iphone-15"}, "", "", "iPhone", True),
        ({"device": "ipad-mini"}, "", "", "iPad", True),
        ({"userAgent": WINDOWS}, "Windows", "10.0", "Win32", False),
        ({"userAgent": MAC}, "macOS", "10.15.7", "MacIntel", False),
        ({"userAgent": FIREFOX}, "Linux", "", "Linux x86_64", False),
        ({"userAgent": "MyBot/1.0"}, "", "", None, False),
    ],
)
def test_the_platform_is_that_of_the_user_agent(
    options: dict[str, Any], hinted: str, version: str, platform: str | None, is_mobile: bool
) -> None:
    # Given / When the identity of a request
    found = identity(**options)
    # Then its client hints and its platform fit the user agent
    hints = found["userAgentMetadata"]
    assert (hints["platform"], hints["platformVersion"], hints["mobile"]) == (hinted, version, is_mobile)
    assert found.get("platform") == platform


@pytest.mark.parametrize(
    ("options", "brands"),
    [
        ({}, {"Chromium": "156"}),
        ({"device": "pixel-8"}, {"Chromium": "150"}),
        ({"userAgent": EDGE}, {"Chromium": "140", "Microsoft Edge": "140"}),
        # Neither Safari nor Firefox has client hints.
        ({"device": "iphone-15"}, {}),
        ({"userAgent": FIREFOX}, {}),
    ],
)
def test_the_brands_are_those_of_the_user_agent(options: dict[str, Any], brands: dict[str, str]) -> None:
    hints = identity(**options)["userAgentMetadata"]
    found = {each["brand"]: each["version"] for each in hints["brands"]}
    assert {name: version for name, version in found.items() if "Brand" not in name} == brands
    assert [each["brand"] for each in hints["fullVersionList"]] == [*found]
    assert "Headless" not in str(identity(**options))


@pytest.mark.parametrize(
    ("locale", "languages"),
    [(None, "en-US,en"), ("de-DE", "de-DE,de"), ("fr", "fr"), ("zh-Hant-TW", "zh-Hant-TW,zh")],
)
def test_a_language_is_also_accepted_without_its_region(locale: str | None, languages: str) -> None:
    assert languages_of(locale) == languages
