"""Holding a page still for its screenshot: no blinking caret, no event that only the camera causes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from pyppeteer.connection import CDPSession

from stillframe.request.options import RenderOptions
from stillframe.request.options.repeat import Animations

from .elements import WALK
from .scripts import SET_STYLES
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
# What is fixed to the bottom of the window, or sticks to it, belongs to the bottom of the full page.
PLACE_AT_BOTTOM = (
    "(() => {"
    + WALK
    + SET_STYLES
    + """
  const height = %d;
  for (const root of rootsOf(document)) {
    if ((root.ownerDocument ?? root) !== document) continue;
    for (const element of root.querySelectorAll('*')) {
      const style = getComputedStyle(element);
      if (style.position === 'sticky' && style.bottom !== 'auto' && style.top === 'auto') {
        set(element, { position: 'relative', bottom: 'auto' });
      } else if (style.position === 'fixed' && style.translate === 'none') {
        const box = element.getBoundingClientRect(), below = innerHeight - box.bottom;
        // A background behind the content is behind all of it.
        const isBehind = style.zIndex < 0 && box.top <= 0 && below <= 0;
        if (isBehind) set(element, { position: 'absolute', height: height + 'px' });
        // What covers most of the window, such as a dialog with its backdrop, stays where it is.
        if (box.height === 0 || box.height * 2 > innerHeight || Math.abs(below) >= Math.abs(box.top)) continue;
        set(element, { transition: 'none', translate: `0 ${height - innerHeight}px` });
      }
    }
  }
})()"""
)


async def place_at_bottom(world: World, height: int) -> None:
    """Move what is at the bottom of the window to the bottom of a page of this height (CSS pixels)."""
    await world.evaluate(PLACE_AT_BOTTOM % height)


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
