"""The scripts that run beside a page, in a world of their own."""

from __future__ import annotations

# `title` and `location` are read through the document itself: the page's own scripts live in another world.
MEASURE = """(() => {
  const root = document.documentElement, body = document.body;
  return {
    title: String(document.title || ''),
    description: String(document.querySelector(
      'meta[name="description" i], meta[property="og:description" i]')?.content || ''),
    url: String(document.location.href),
    height: Math.ceil(Math.max(root ? root.scrollHeight : 0, body ? body.scrollHeight : 0)),
  };
})()"""

# The load event waits neither for lazy images in view nor for fonts that scripts asked for.
FINISH_VIEW = """(async () => {
  const inView = image => {
    const box = image.getBoundingClientRect();
    return box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  };
  const decoded = image => image.decode().catch(() => {});
  const pause = time => new Promise(done => setTimeout(done, time));
  const frame = () => Promise.race([new Promise(requestAnimationFrame), pause(100)]);
  // A lazy image begins to load when a frame has shown that it is in view; until then it calls itself complete.
  await frame();
  await frame();
  await Promise.race([
    Promise.all([document.fonts.ready, ...[...document.images].filter(inView).map(decoded)]),
    pause(1500),
  ]);
})()"""

# Lazy images load when they come near the viewport, so a full page is scrolled through first, one screen
# at a time, and then given a moment for what that started. Each wait is bounded: a page may never be done.
SCROLL_THROUGH = """(async () => {
  const cap = %d, startedAt = performance.now(), budget = 5000;
  const left = () => budget - (performance.now() - startedAt);
  const frame = () => Promise.race([
    new Promise(done => requestAnimationFrame(() => setTimeout(done, 0))),
    new Promise(done => setTimeout(done, 100)),
  ]);
  const step = Math.max(window.innerHeight, 200);
  const limit = () => Math.min(cap, document.documentElement ? document.documentElement.scrollHeight : 0);
  for (let top = 0; top < limit() && left() > 0; top += step) {
    window.scrollTo({ top, behavior: 'instant' });
    await frame();
  }
  const pending = [...document.images].filter(image => !image.complete);
  await Promise.race([
    Promise.all(pending.map(image => new Promise(done => {
      image.addEventListener('load', done, { once: true });
      image.addEventListener('error', done, { once: true });
    }))),
    new Promise(done => setTimeout(done, Math.max(left(), 0))),
  ]);
  window.scrollTo({ top: 0, behavior: 'instant' });
  await frame();
})()"""

# Whether there is anything that could be seen: a page that is meant to be empty need not be looked at again.
HAS_CONTENT = """(() => {
  const body = document.body;
  if (!body) return false;
  return body.innerText.trim() !== '' || body.querySelector('img, svg, canvas, video, iframe, object, embed') !== null;
})()"""
