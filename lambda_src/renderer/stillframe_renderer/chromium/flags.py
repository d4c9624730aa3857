"""How Chromium is started: quiet, alone, without a way around its proxy, and in its sandbox where that can run."""

from __future__ import annotations

import functools
import os
import subprocess

# The port multiplexer of RFC 1078, which nobody runs.
NO_PROXY = "http://127.0.0.1:1"
# Without it Chromium goes to loopback addresses directly, whatever proxy it has.
PROXY_BYPASS = "<-loopback>"

FLAGS = (
    "--headless",
    "--remote-debugging-pipe=cbor",
    # No popup is opened, whoever asks.
    "--block-new-web-contents",
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
UNSANDBOXED_FLAGS = ("--no-sandbox",)
# A fork of the zygote takes a fifth less CPU time for a capture than a renderer that is started anew. In Lambda, where
# nobody has measured that it works, every renderer is started anew.
LAMBDA_FLAGS = ("--no-zygote",)


def launch_flags() -> tuple[str, ...]:
    """What every browser is started with, but for its profile."""
    if sandbox_works():
        return FLAGS
    return (*FLAGS, *UNSANDBOXED_FLAGS, *(LAMBDA_FLAGS if is_lambda() else ()))


def is_lambda() -> bool:
    """Whether this is a function of AWS Lambda, or its emulator (AWS Lambda, "Runtime API")."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


@functools.cache
def sandbox_works() -> bool:
    """Whether Chromium can build its sandbox here: not as root, and only where user namespaces are allowed."""
    if os.geteuid() == 0 or is_lambda():
        return False
    probe = subprocess.run(
        ["unshare", "--user", "--net", "--pid", "--fork", "true"], capture_output=True, check=False, timeout=5
    )
    return probe.returncode == 0
