"""Finding the browser's executable, and its version."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import subprocess
from pathlib import Path

from stillframe.settings import SettingsError

from .start import DEBIAN_PATH

# Debian's wrappers in /usr/bin start the browser without exec, so killing a wrapper would leave the browser running.
CANDIDATES = (
    DEBIAN_PATH,
    "~/.cache/ms-playwright/chromium_headless_shell-*/chrome-*/*headless*shell",
    "/opt/google/chrome/chrome",
    "/usr/lib/chromium/chromium",
    "/usr/lib/chromium-browser/chromium-browser",
)
NAMES_ON_PATH = ("chrome-headless-shell", "google-chrome-stable", "google-chrome", "chromium", "chromium-browser")

INSTALL_HINT = (
    "no Chromium found. Debian: sudo apt-get install chromium-headless-shell. "
    "Ubuntu: npx playwright install --with-deps chromium. "
    "Or set the path of another one: export STILLFRAME_CHROMIUM=/path/to/chrome"
)
# The version in the security archive of Debian 12 and 13 in November 2026.
SECURE_VERSION = "156.0.8078.73"
VERSION_SECONDS = 10


def find_chromium(configured: str = "") -> str:
    """The path of the browser's executable. Raises SettingsError, which says how to install one, if none is found."""
    if configured:
        if not os.access(configured, os.X_OK):
            raise SettingsError(f"STILLFRAME_CHROMIUM: {configured} is not an executable file")
        return configured
    for pattern in CANDIDATES:
        for path in sorted(glob.glob(str(Path(pattern).expanduser())), reverse=True):
            if os.access(path, os.X_OK):
                return path
    for name in NAMES_ON_PATH:
        path = shutil.which(name) or ""
        # Ubuntu's package is a stub that only says to install a snap, which cannot be driven over a pipe.
        if path and not os.path.realpath(path).startswith(("/snap", "/usr/bin/snap")) and not _is_snap_stub(path):
            return path
    raise SettingsError(INSTALL_HINT)


def version_of(executable: str) -> str:
    """The version of a browser, such as `156.0.8078.73`; empty if it does not report one."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            [executable, "--version"], capture_output=True, text=True, timeout=VERSION_SECONDS, check=False
        )
        if found := re.search(r"\d+(\.\d+){3}", done.stdout):
            return found[0]
    return ""


def security_warning(version: str) -> str | None:
    """A warning for a browser that is older than SECURE_VERSION; None for any other, and for an unknown version."""
    if not version or _numbers(version) >= _numbers(SECURE_VERSION):
        return None
    return (
        f"Chromium {version} lacks security fixes: Debian's security archive had {SECURE_VERSION} in November 2026, "
        "and pages are hostile. Add the archive to /etc/apt/sources.list (https://www.debian.org/security/), then run: "
        "sudo apt-get update && sudo apt-get install chromium-headless-shell"
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _is_snap_stub(path: str) -> bool:
    with open(path, "rb") as file:
        return b"/snap/bin" in file.read(4096)
