"""A page's time and random numbers, as far as a request sets them."""

from __future__ import annotations

from stillframe.request.options import RenderOptions
from stillframe.request.options.repeat import Animations

from .animations import ALLOW
from .preparation import Preparation
from .world import WORLD_NAME

# The page's time stands still. Timers and frames run on; what measures how long something takes uses performance.now().
FIX_CLOCK = """(() => {
  const Real = Date, fixed = %d, now = () => fixed;
  const Fixed = new Proxy(Real, {
    construct: (target, given, made) => Reflect.construct(target, given.length ? given : [fixed], made),
    apply: () => new Real(fixed).toString(),
    get: (target, name) => name === 'now' ? now : Reflect.get(target, name),
  });
  Real.prototype.constructor = Fixed;
  globalThis.Date = Fixed;
})()"""
# The generator mulberry32.
SEED_RANDOM = """(() => {
  let state = %d;
  Math.random = () => {
    state = state + 0x6D2B79F5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
  };
})()"""


def fix_chance(page: Preparation, options: RenderOptions) -> None:
    """Call before navigating: the scripts run before the page's own, in every frame."""
    if options.clock_ms is not None:
        page.send("Page.addScriptToEvaluateOnNewDocument", {"source": FIX_CLOCK % options.clock_ms})
    if options.random_seed is not None:
        page.send("Page.addScriptToEvaluateOnNewDocument", {"source": SEED_RANDOM % options.random_seed})
    if options.effective_animations is Animations.ALLOW:
        page.send("Page.addScriptToEvaluateOnNewDocument", {"source": ALLOW, "worldName": WORLD_NAME})
