"""The scripts that run beside a page, in an isolated world."""

from __future__ import annotations

import json

# A function for other scripts, which begin with it: whether any part of an element is in the window. To measure what is
# not rendered because it is far from the window (CSS, content-visibility) would lay it out, for each element anew.
IN_VIEW = """const inView = element => {
    if (!element.checkVisibility({ contentVisibilityAuto: true })) return false;
    const box = element.getBoundingClientRect();
    return box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  };"""

# Functions for other scripts. Elements of XML without a style of their own are left as they are. What each element had
# at first is remembered, for RESTORE.
SET_STYLES = """const set = (element, styles) => {
    const changed = globalThis.stillframeChanged ??= new Map();
    if (!changed.has(element)) changed.set(element, element.style?.cssText);
    for (const [name, value] of Object.entries(styles)) element.style?.setProperty(name, value, 'important');
  };"""
# Makes a function: whether an element, or what it is in, is fixed to the window. Nothing beyond `outermost` counts.
FIXED_WITHIN = """const fixedWithin = outermost => {
    const known = new Map([[null, false], [outermost, false]]);
    const hostOf = element => element.parentElement ?? element.getRootNode().host ?? null;
    const isInFixed = element => {
      if (!known.has(element)) {
        known.set(element, getComputedStyle(element).position === 'fixed' || isInFixed(hostOf(element)));
      }
      return known.get(element);
    };
    return isInFixed;
  };"""
IS_SHOWN = """const isShown = element =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true });"""

# Adds a style sheet, given as a JSON string, to the document's own list, which no content security policy forbids.
ADOPT = """(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(%s);
  const adopt = () => {
    if (!document.adoptedStyleSheets.includes(sheet)) {
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }
  };
  adopt();
  document.addEventListener('DOMContentLoaded', adopt);
  addEventListener('load', adopt);
})()"""

# The same until RESTORE.
ADOPT_UNTIL_RESTORED = """(() => {
  const sheet = new CSSStyleSheet(), sheets = globalThis.stillframeSheets ??= new Set();
  sheet.replaceSync(%s);
  sheets.add(sheet);
  const adopt = () => {
    if (sheets.has(sheet) && !document.adoptedStyleSheets.includes(sheet)) {
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }
  };
  adopt();
  document.addEventListener('DOMContentLoaded', adopt);
  addEventListener('load', adopt);
})()"""
# Whose size is that of the window, and whose content is that of the page (CSSOM View, 6, clientWidth, scrollWidth).
OF_WINDOW = """
  const ofWindow = document.compatMode === 'BackCompat' && document.body ? document.body : document.documentElement;
"""
REMEMBER_PLACE = "globalThis.stillframePlace = [scrollX, scrollY]"
# Takes back what was done to the page for one image: styles, style sheets and masks, and what is remembered of how it
# looked. The page is scrolled to where it was at first.
RESTORE = """(() => {
  const id = globalThis.stillframeMask;
  const isMask = element => id && element.querySelector(`:scope > #${id}`);
  for (const [element, text] of globalThis.stillframeChanged ?? []) {
    if (isMask(element)) element.remove();
    else if (element.style) element.style.cssText = text;
    delete element.stillframeIsBelow;
  }
  const sheets = globalThis.stillframeSheets ?? new Set();
  document.adoptedStyleSheets = document.adoptedStyleSheets.filter(sheet => !sheets.has(sheet));
  sheets.clear();
  globalThis.stillframeGrown = [];
  for (const name of ['Changed', 'Blurred', 'Seen', 'Lost']) delete globalThis[`stillframe${name}`];
  const [left, top] = globalThis.stillframePlace ?? [0, 0];
  scrollTo({ left, top, behavior: 'instant' });
})()"""

# Waits for the frame that shows what has changed. Bounded, because a busy machine paints late, and an element counts as
# in view only once it is painted.
PAINTED = """await Promise.race([
    new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))),
    new Promise(done => setTimeout(done, 1000)),
  ]);"""

# Waits for lazy images in view and for fonts that scripts requested, which the load event does not wait for.
FINISH_VIEW = (
    "(async () => {"
    + IN_VIEW
    + """
  const decoded = image => image.decode().catch(() => {});
  const pause = time => new Promise(done => setTimeout(done, time));
  const frame = () => Promise.race([new Promise(requestAnimationFrame), pause(100)]);
  // A lazy image begins to load when a frame has shown that it is in view; until then it calls itself complete.
  // Scripts may load content lazily in ways of their own. Nothing else waits to be in view.
  if (document.scripts.length || document.querySelector('[loading=lazy]')) {
    await frame();
    await frame();
  }
  // Fonts begin to load when the layout asks for them.
  document.documentElement?.getBoundingClientRect();
  await Promise.race([
    Promise.all([document.fonts.ready, ...[...document.images].filter(inView).map(decoded)]),
    pause(1500),
  ]);
})()"""
)

# Says that a script of the request's has run, of which the document has no trace.
REACTS = "globalThis.stillframeReacts = true"
# Whether scrolling can change anything in the document: through a script, wherever it is or was, a lazy element, or an
# animation that follows the scrolling.
MAY_REACT = """(() => {
  if (globalThis.stillframeReacts || document.scripts.length) return true;
  if (performance.getEntriesByType('resource').some(entry => entry.initiatorType === 'script')) return true;
  if (document.getAnimations().some(animation => !(animation.timeline instanceof DocumentTimeline))) return true;
  if (document.querySelector('[loading=lazy], iframe, frame, object, embed')) return true;
  return [...document.querySelectorAll('*')].some(element => element.shadowRoot
    || element.getAttributeNames().some(name => name.startsWith('on')));
})()"""

# With `content-visibility: auto` (CSS), content far from the window is neither laid out nor painted, and would be
# missing from a screenshot of more than the window. Such elements may be within each other.
RENDER_OFFSCREEN = """for (let depth = 0; depth < 4; depth++) {
  const found = [...document.querySelectorAll('body *')].filter(element =>
    element.checkVisibility({ contentVisibilityAuto: true })
    && getComputedStyle(element).contentVisibility === 'auto');
  if (!found.length) break;
  for (const element of found) element.style.setProperty('content-visibility', 'visible', 'important');
}"""
# Fixed backgrounds are painted relative to the window, which would be wrong for a full page.
SCROLL_BACKGROUNDS = ADOPT_UNTIL_RESTORED % json.dumps(
    "*, ::before, ::after { background-attachment: scroll !important }"
)

# Whether the page has anything to show: the screenshot of an empty page need not be taken again.
HAS_CONTENT = """(() => {
  const body = document.body;
  if (!body) return false;
  return body.innerText.trim() !== '' || body.querySelector('img, svg, canvas, video, iframe, object, embed') !== null;
})()"""
