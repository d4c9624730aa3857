"""Animations: those that end soon are put to their end, and what no script can see is watched until it stands still."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time

from pyppeteer.connection import CDPSession
from pyppeteer.errors import NetworkError

from .elements import WALK
from .traffic import Traffic
from .world import World

# A visitor waits so long for what is coming in. Longer animations are shown as they are then.
SOON_MS = 5000
# From this length on, an animation is looked at first: if it makes its element disappear, a visitor still sees that.
LEAVING_MS = 1500
# SVG animations (SMIL) have a clock for each image, which cannot say when they end.
SVG_SECONDS = 3
# How often two small screenshots are compared, and for how long. On a busy machine what moves is late, and so are they:
# they get more time then.
LOOK_PAUSE_SECONDS = 0.12
LOOK_SECONDS = 3.0
MIN_LOOKS = 12
MAX_LOOK_SECONDS = 8.0
IMAGE_SECONDS = 2.0
# A fade begins too slowly to be seen in two looks.
STILL_SECONDS = 0.4
LOOK = {"format": "jpeg", "quality": 20, "optimizeForSpeed": True}
MAX_IMAGE_BYTES = 256 * 1024

# A function for other scripts: puts what ends soon to its end. Paused animations stay as they are.
END_ANIMATIONS = (
    WALK
    + f"const SOON = {SOON_MS}, LEAVING = {LEAVING_MS}, SVG_TIME = {SVG_SECONDS};"
    + """const isSeen = element => {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    return style.opacity > 0.05 && style.visibility === 'visible' && box.width > 0 && box.height > 0
      && box.right > 0 && box.left < innerWidth && box.bottom > -scrollY;
  };
  const isLeaving = (animation, end) => {
    const target = animation.effect.target;
    if (!target || !isSeen(target)) return false;
    const now = animation.currentTime;
    animation.currentTime = end - 0.01;
    const leaves = !isSeen(target);
    animation.currentTime = now;
    return leaves;
  };
  const endAnimations = () => {
    if (globalThis.stillframeAllowsAnimations) return;
    for (const root of rootsOf(document)) {
      for (const animation of root.getAnimations()) {
        const end = animation.effect?.getComputedTiming().endTime, now = animation.currentTime;
        if (animation.playState !== 'running' || !Number.isFinite(end) || typeof now !== 'number') continue;
        const left = (end - now) / Math.abs(animation.playbackRate || 1);
        try {
          if (left < SOON && !(left > LEAVING && isLeaving(animation, end))) animation.finish();
        } catch { }
      }
      for (const image of root.querySelectorAll('svg')) {
        if (image.ownerSVGElement === null && !image.animationsPaused() && image.getCurrentTime() < SVG_TIME
            && image.querySelector('animate, animateTransform, animateMotion, set')) image.setCurrentTime(SVG_TIME);
      }
    }
  };"""
)

# Leaves all animations alone.
ALLOW = "globalThis.stillframeAllowsAnimations = true"

# Whether something in the window may move that no script can ask: a canvas, or a frame of another origin.
HAS_HIDDEN_MOTION = """[...document.querySelectorAll('canvas, iframe, frame, object, embed')].some(element => {
  const box = element.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight;
})"""


async def wait_for_stillness(session: CDPSession, world: World, traffic: Traffic) -> None:
    """Compare screenshots of the window until two are equal, if anything in it may move unseen.

    Takes at most 3 s, on a busy machine 8.
    """
    has_animated_image = await _has_animated_image(session, traffic)
    if not has_animated_image and not await world.evaluate(HAS_HIDDEN_MOTION):
        return
    # The clock of an image begins when it is first painted, at the latest for this look.
    previous, looks = await _look(session), 1
    started = time.monotonic()
    # An image may begin to move after a delay of its own.
    trust_at = started + (IMAGE_SECONDS if has_animated_image else 0)
    still_for, still_since = STILL_SECONDS if has_animated_image else 0, started
    while time.monotonic() < started + (LOOK_SECONDS if looks >= MIN_LOOKS else MAX_LOOK_SECONDS):
        await asyncio.sleep(LOOK_PAUSE_SECONDS)
        look = await _look(session)
        now = time.monotonic()
        if look != previous:
            previous, still_since = look, now
        elif now > trust_at and now - still_since >= still_for:
            return
        looks += 1


async def _look(session: CDPSession) -> bytes:
    """A fingerprint of the window as it is now."""
    answer = await session.send("Page.captureScreenshot", LOOK)
    return hashlib.sha256(answer["data"].content).digest()


async def _has_animated_image(session: CDPSession, traffic: Traffic) -> bool:
    """Whether the page has loaded an SVG image with an animation of its own."""
    for request_id in traffic.svg_images:
        try:
            answer = await session.send("Network.getResponseBody", {"requestId": request_id})
        except NetworkError:
            # The browser no longer has it.
            continue
        body = answer["body"][: MAX_IMAGE_BYTES * 2]
        text = base64.b64decode(body) if answer["base64Encoded"] else body.encode()
        if any(word in text[:MAX_IMAGE_BYTES] for word in (b"<animate", b"<set", b"@keyframes")):
            return True
    return False
