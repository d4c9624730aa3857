"""The browser's version: how it is read, and when the user is warned."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillframe_renderer.chromium.executable import SECURE_VERSION, security_warning, version_of


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("HeadlessChrome 150.0.7700.12 built on Debian GNU/Linux 12", "150.0.7700.12"),
        ("Google Chrome 156.0.8078.73 ", "156.0.8078.73"),
        ("what?", ""),
        ("", ""),
    ],
)
def test_the_version_is_what_the_browser_reports(tmp_path: Path, output: str, version: str) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho '{output}'\n")
    browser.chmod(0o755)
    assert version_of(str(browser)) == version


def test_a_browser_that_cannot_be_run_has_no_version(tmp_path: Path) -> None:
    assert version_of(str(tmp_path / "missing")) == ""


@pytest.mark.parametrize("version", ["", SECURE_VERSION, "156.0.8078.108", "157.0.0.0"])
def test_there_is_no_warning_for_a_current_browser(version: str) -> None:
    assert security_warning(version) is None


@pytest.mark.parametrize("version", ["150.0.7700.12", "99.0.4844.84", "156.0.8078.72"])
def test_the_warning_for_an_old_browser_says_what_to_do(version: str) -> None:
    warning = security_warning(version) or ""
    assert f"Chromium {version} lacks security fixes" in warning
    assert "apt-get install chromium-headless-shell" in warning
