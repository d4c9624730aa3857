"""Where the browser's binary is."""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path

from stillframe.settings import SettingsError

# Debian's wrappers in /usr/bin start the browser without exec, so that killing them leaves it running.
CANDIDATES = (
    "/usr/lib/chromium/chromium-headless-shell",
    "~/.cache/ms-playwright/chromium_headless_shell-*/chrome-*/*headless*shell",
    "/opt/google/chrome/chrome",
    "/usr/lib/chromium/chromium",
    "/usr/lib/chromium-browser/chromium-browser",
)
NAMES_ON_PATH = ("chrome-headless-shell", "google-chrome-stable", "google-chrome", "chromium", "chromium-browser")

INSTALL_HINT = (
    "no Chromium found. Debian: sudo apt-get install chromium-headless-shell. "
    "Ubuntu: npx playwright install --with-deps chromium. "
    "Or name one: export STILLFRAME_CHROMIUM=/path/to/chrome"
)


def find_chromium(configured: str = "") -> str:
    """Path of the browser's binary. Raises SettingsError that says how to get one."""
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
        # Ubuntu's package is a stub that only says to install a snap, which cannot take a pipe.
        if path and not os.path.realpath(path).startswith(("/snap", "/usr/bin/snap")) and not _is_snap_stub(path):
            return path
    raise SettingsError(INSTALL_HINT)


def _is_snap_stub(path: str) -> bool:
    with open(path, "rb") as file:
        return b"/snap/bin" in file.read(4096)
