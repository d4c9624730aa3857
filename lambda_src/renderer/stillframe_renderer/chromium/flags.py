"""Chromium's command line: no background activity, no way around its proxy, and its sandbox where that can run."""

from __future__ import annotations

import functools
import os
import subprocess

from . import zygote

# The port of RFC 1078 (tcpmux), on which nothing listens.
NO_PROXY = "http://127.0.0.1:1"
# Without it, Chromium connects to loopback addresses directly, whatever its proxy is.
PROXY_BYPASS = "<-loopback>"

FLAGS = (
    "--headless",
    "--remote-debugging-pipe=cbor",
    # No popup is opened, for whatever reason.
    "--block-new-web-contents",
    # A mouse, in the numbers of ui::HoverType and ui::PointerType. The machine has none, so pages would be told that
    # nothing can point or hover. In a tab with touch, the emulated finger replaces it.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    # A screenshot would show nothing in the place of an image that is still being decoded on another thread.
    "--disable-checker-imaging",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    # /dev/shm is 64 MB in a container and absent in Lambda.
    "--disable-dev-shm-usage",
    "--disable-extensions",
    # One flag for all features: only the last occurrence of the flag takes effect.
    "--disable-features=Translate,MediaRouter,OptimizationHints,AutofillServerCommunication,DialMediaRouteProvider",
    # Software rasterisation; with SwiftShader, ordinary screenshots took six times as long.
    "--disable-gpu",
    "--disable-hang-monitor",
    "--disable-prompt-on-repost",
    # UDP would bypass any proxy.
    "--disable-quic",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    # WebRTC's UDP would bypass any proxy.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--hide-scrollbars",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--password-store=basic",
    # Each capture has a proxy of its own, its guard. All other traffic, to loopback as well, goes nowhere.
    f"--proxy-server={NO_PROXY}",
    f"--proxy-bypass-list={PROXY_BYPASS}",
    # Only the guard resolves names. Without this, WebRTC makes the browser itself look up TURN servers and candidates.
    # The guard is reached by its address.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--use-mock-keychain",
)
UNSANDBOXED_FLAGS = ("--no-sandbox",)
NO_ZYGOTE_FLAGS = ("--no-zygote",)


def launch_flags() -> tuple[str, ...]:
    """The flags that every browser is started with, except for its profile."""
    if sandbox_works():
        return FLAGS
    has_zygote = not is_lambda() or zygote.TRIAL.has_zygote()
    return (*FLAGS, *UNSANDBOXED_FLAGS, *(() if has_zygote else NO_ZYGOTE_FLAGS))


def is_lambda() -> bool:
    """Whether this process runs in AWS Lambda or its emulator (AWS Lambda, "Runtime API")."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


@functools.cache
def sandbox_works() -> bool:
    """Whether Chromium can set up its sandbox here: not as root, and only where user namespaces are allowed."""
    if os.geteuid() == 0 or is_lambda():
        return False
    probe = subprocess.run(
        ["unshare", "--user", "--net", "--pid", "--fork", "true"], capture_output=True, check=False, timeout=5
    )
    return probe.returncode == 0
