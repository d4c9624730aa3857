"""The scripts that run beside a page, in a world of their own."""

from __future__ import annotations

import json

# Whether a part of an element is in the window; for scripts that begin with it.
IN_VIEW = """const inView = element => {
    const box = element.getBoundingClientRect();
    return box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  };"""

# A style sheet in the document's own list, which no content security policy forbids. It is a JSON string.
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

# The load event waits neither for lazy images in view nor for fonts that scripts asked for.
FINISH_VIEW = (
    "(async () => {"
    + IN_VIEW
    + """
  const decoded = image => image.decode().catch(() => {});
  const pause = time => new Promise(done => setTimeout(done, time));
  const frame = () => Promise.race([new Promise(requestAnimationFrame), pause(100)]);
  // A lazy image begins to load when a frame has shown that it is in view; until then it calls itself complete.
  // Scripts have ways of their own to be lazy. Nothing else waits to be seen.
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

# Whether anything of the document can change by being scrolled past: by a script, wherever it may be, or by being lazy.
MAY_REACT = """(() => {
  if (document.scripts.length || document.querySelector('[loading=lazy], iframe, frame, object, embed')) return true;
  return [...document.querySelectorAll('*')].some(element => element.shadowRoot
    || element.getAttributeNames().some(name => name.startsWith('on')));
})()"""

# What is lazy loads when it comes near the viewport, so a full page is scrolled through first, one screen at a time.
# Each wait is bounded: a page may never be done. Returns how far it came.
SCROLL_THROUGH = (
    """(async () => {
  const from = %d, cap = %d, startedAt = performance.now(), budget = %d;
  const frame = () => Promise.race([
    new Promise(done => requestAnimationFrame(() => setTimeout(done, 0))),
    // A busy machine draws late, and what comes into view is seen when it is drawn.
    new Promise(done => setTimeout(done, 400)),
  ]);
  const step = Math.max(window.innerHeight, 200);
  const limit = () => Math.min(cap, document.documentElement ? document.documentElement.scrollHeight : 0);
  if (from === 0 && !"""
    + MAY_REACT
    + """) return limit();
  let top = from;
  for (; top < limit() && performance.now() - startedAt < budget; top += step) {
    window.scrollTo({ top, behavior: 'instant' });
    await frame();
  }
  await frame();
  return limit();
})()"""
)
HEIGHT = "document.documentElement ? document.documentElement.scrollHeight : 0"
# What is not near the window is neither laid out nor painted where the page says so (CSS, content-visibility: auto);
# a picture of more than the window would show the gap.
REVEAL = """for (const element of document.querySelectorAll('body *')) {
  if (getComputedStyle(element).contentVisibility === 'auto') {
    element.style.setProperty('content-visibility', 'visible', 'important');
  }
}"""
TO_THE_TOP = "window.scrollTo({ top: 0, behavior: 'instant' })"
# Fixed backgrounds are painted in the window, of which a full page is not one.
UNFIX = ADOPT % json.dumps("*, ::before, ::after { background-attachment: scroll !important }")

# Whether there is anything that could be seen: a page that is meant to be empty need not be looked at again.
HAS_CONTENT = """(() => {
  const body = document.body;
  if (!body) return false;
  return body.innerText.trim() !== '' || body.querySelector('img, svg, canvas, video, iframe, object, embed') !== null;
})()"""
