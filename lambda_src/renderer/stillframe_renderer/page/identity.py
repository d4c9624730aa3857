"""Who the browser says it is: the user agent, its client hints, and the languages that its user reads."""

from __future__ import annotations

import re
from typing import Any

from stillframe.request.options import RenderOptions

HEADLESS, ORDINARY = "HeadlessChrome", "Chrome"
DEFAULT_LANGUAGES = "en-US,en"
CHROME = re.compile(r"Chrome/(?P<full>(?P<major>\d+)[\d.]*)")
# Browsers on Chromium that name themselves after it.
VENDORS = {"Edg": "Microsoft Edge", "OPR": "Opera"}
# A brand that no browser has: servers have to expect any (User-Agent Client Hints, 6.2, "GREASE").
GREASE = ("Not/A)Brand", "99")
# How user agents write an operating system, its name in client hints, and `navigator.platform` on it. iOS has no name:
# no browser there has client hints.
SYSTEMS = (
    (re.compile(r"iPhone"), "", "iPhone"),
    (re.compile(r"iPad"), "", "iPad"),
    # Chrome reports this platform on every Android device.
    (re.compile(r"Android (?P<version>[\d.]+)"), "Android", "Linux armv81"),
    (re.compile(r"Windows NT (?P<version>[\d.]+)"), "Windows", "Win32"),
    (re.compile(r"Mac OS X (?P<version>[\d_]+)"), "macOS", "MacIntel"),
    (re.compile(r"CrOS"), "Chrome OS", "Linux x86_64"),
    (re.compile(r"Linux"), "Linux", "Linux x86_64"),
)


def identity_of(options: RenderOptions, default_user_agent: str) -> dict[str, Any]:
    """The parameters of Emulation.setUserAgentOverride."""
    # Many sites turn away a browser that calls itself headless.
    user_agent = options.user_agent or default_user_agent.replace(HEADLESS, ORDINARY)
    found = ((system.search(user_agent), name, platform) for system, name, platform in SYSTEMS)
    match, name, platform = next((each for each in found if each[0]), (None, "", ""))
    version = (match.groupdict().get("version") or "") if match else ""
    return {
        "userAgent": user_agent,
        "acceptLanguage": languages_of(options.locale),
        **({"platform": platform} if platform else {}),
        "userAgentMetadata": {
            "brands": _brands(user_agent, "major"),
            "fullVersionList": _brands(user_agent, "full"),
            "platform": name,
            "platformVersion": version.replace("_", "."),
            "architecture": "" if options.mobile else "x86",
            "bitness": "" if options.mobile else "64",
            "model": "",
            "mobile": options.mobile or " Mobile" in user_agent,
        },
    }


def languages_of(locale: str | None) -> str:
    """The languages in order of preference, as Chromium expands them: `de-DE,de`. It adds the weights itself."""
    if locale is None:
        return DEFAULT_LANGUAGES
    language = locale.partition("-")[0]
    return locale if language == locale else f"{locale},{language}"


def _brands(user_agent: str, version: str) -> list[dict[str, str]]:
    """The brands in a user agent with their versions. A browser that is not built on Chromium has none."""
    chrome = CHROME.search(user_agent)
    if chrome is None:
        return []
    brands = [{"brand": GREASE[0], "version": GREASE[1]}, {"brand": "Chromium", "version": chrome[version]}]
    for token, brand in VENDORS.items():
        if found := re.search(rf"{token}/(?P<full>(?P<major>\d+)[\d.]*)", user_agent):
            brands.append({"brand": brand, "version": found[version]})
    return brands
