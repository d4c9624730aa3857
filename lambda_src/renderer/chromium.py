"""The Chromium process: where it is, how it is started, and how it is surely ended."""

from __future__ import annotations

import asyncio
import functools
import glob
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pyppeteer.browser import Browser as Driver
from pyppeteer.browser import BrowserContext
from pyppeteer.errors import PyppeteerError

from stillframe.errors import BrowserCrashed
from stillframe.settings import SettingsError

from .process import ProcessGroup, spawn
from .profile import Profile, sweep
from .transport import PipeConnection

LAUNCH_SECONDS = 20

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

# The port multiplexer of RFC 1078, which nobody runs.
NO_PROXY = "http://127.0.0.1:1"
# Without it Chromium goes to loopback addresses directly, whatever proxy it has.
PROXY_BYPASS = "<-loopback>"

FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    # /dev/shm is 64 MB in a container and absent in Lambda.
    "--disable-dev-shm-usage",
    "--disable-extensions",
    # One flag for all: the last one given wins.
    "--disable-features=Translate,MediaRouter,OptimizationHints,AutofillServerCommunication,DialMediaRouteProvider",
    # Software rasterisation; with SwiftShader, ordinary shots took six times as long.
    "--disable-gpu",
    "--disable-hang-monitor",
    "--disable-prompt-on-repost",
    # UDP would not go through any proxy.
    "--disable-quic",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    # WebRTC's UDP would not go through any proxy.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--hide-scrollbars",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--password-store=basic",
    # Each capture has a guard of its own; what belongs to none goes to where nobody listens, loopback included.
    f"--proxy-server={NO_PROXY}",
    f"--proxy-bypass-list={PROXY_BYPASS}",
    "--use-mock-keychain",
)
# The zygote exists for the sandbox only, and without an init process it leaves zombies.
UNSANDBOXED_FLAGS = ("--no-sandbox", "--no-zygote")


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


@functools.cache
def sandbox_works() -> bool:
    """Whether Chromium can build its sandbox here: not as root, and only where user namespaces are allowed."""
    if os.geteuid() == 0 or "AWS_LAMBDA_RUNTIME_API" in os.environ:
        return False
    probe = subprocess.run(
        ["unshare", "--user", "--net", "--pid", "--fork", "true"], capture_output=True, check=False, timeout=5
    )
    return probe.returncode == 0


class Chromium:
    """One running browser: its process group, its profile, and pyppeteer's driver on its pipe."""

    def __init__(self, process: ProcessGroup, profile: Profile, connection: PipeConnection) -> None:
        self._process = process
        self._profile = profile
        self.connection = connection
        self.driver: Driver | None = None
        self.captures = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the pipe is open: Chromium closes it when it dies, however it dies."""
        return not self.connection.closed.done()

    @classmethod
    async def launch(cls, executable: str, environment: Mapping[str, str] | None = None) -> Chromium:
        """Start a browser. Its environment is empty unless given, for the sake of what is in ours.

        Raises BrowserCrashed when it does not answer in time.
        """
        sweep()
        profile = Profile()
        sandbox_flags = () if sandbox_works() else UNSANDBOXED_FLAGS
        arguments = [*FLAGS, *sandbox_flags, f"--user-data-dir={profile.path}", "about:blank"]
        try:
            process, commands, answers = spawn(executable, arguments, environment or {})
        except OSError as error:
            profile.remove()
            raise BrowserCrashed(f"Chromium did not start: {error}") from error
        chromium = cls(process, profile, await PipeConnection.open(commands, answers))
        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                chromium.driver = await Driver.create(chromium.connection, [], False, None, None, None)
                await chromium.connection.send("Browser.setDownloadBehavior", {"behavior": "deny"})
        except (TimeoutError, PyppeteerError) as error:
            await chromium.kill()
            raise BrowserCrashed(f"Chromium did not start: {str(error) or 'no answer'} ({executable})") from error
        return chromium

    async def new_context(self, proxy: str) -> BrowserContext:
        """A context that shares nothing with another one, all of whose traffic goes to the proxy."""
        assert self.driver is not None
        answer = await self.connection.send(
            "Target.createBrowserContext", {"proxyServer": proxy, "proxyBypassList": PROXY_BYPASS}
        )
        context_id = answer["browserContextId"]
        context = BrowserContext(self.driver, context_id)
        # The driver's own call for a context takes no proxy; this is the rest of what it does.
        self.driver._contexts[context_id] = context
        return context

    async def kill(self) -> None:
        """End the whole process group, reap it and remove its profile. Idempotent."""
        self._process.kill()
        await self.connection.dispose()
        await asyncio.to_thread(self._process.reap)
        self._profile.remove()
