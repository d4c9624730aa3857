"""Holding a page still for its screenshot: no blinking caret, no event that only the camera causes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from pyppeteer.connection import CDPSession

from stillframe.request.options import RenderOptions
from stillframe.request.options.repeat import Animations

from .elements import WALK
from .world import World

# A field with the focus blinks. Its caret's colour is inherited, also into shadow roots.
HIDE_CARET = (
    "(() => {"
    + WALK
    + """
  for (const root of rootsOf(document)) {
    const active = root.activeElement;
    if (active?.matches?.('input, textarea, [contenteditable], [contenteditable] *') || root.designMode === 'on') {
      (active ?? root.body)?.style.setProperty('caret-color', 'transparent', 'important');
    }
  }
})()"""
)
# What has no end is put to its start.
STOP_ENDLESS = (
    "(() => {"
    + WALK
    + """
  for (const root of rootsOf(document)) {
    for (const animation of root.getAnimations()) {
      if (animation.effect?.getComputedTiming().endTime === Infinity && animation.playState === 'running') {
        animation.pause();
        animation.currentTime = 0;
      }
    }
    for (const image of root.querySelectorAll('svg')) {
      if (image.ownerSVGElement === null && image.querySelector('[repeatCount=indefinite], [repeatDur=indefinite]')) {
        image.pauseAnimations();
        image.setCurrentTime(0);
      }
    }
  }
})()"""
)


async def hold_still(world: World, options: RenderOptions) -> None:
    """Hide the caret and, if the options ask for it, stop animations without an end at their start."""
    await world.evaluate(HIDE_CARET)
    if options.effective_animations is Animations.STOP:
        await world.evaluate(STOP_ENDLESS)


@contextlib.asynccontextmanager
async def unnoticed(session: CDPSession, options: RenderOptions) -> AsyncIterator[None]:
    """Take a screenshot of more than the window, which Chromium enlarges for it, without any script noticing."""
    await session.send("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        yield
    finally:
        session.send("Emulation.setScriptExecutionDisabled", {"value": not options.java_script_enabled})
