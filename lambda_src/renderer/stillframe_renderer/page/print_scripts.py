"""The scripts that prepare a page for printing, in the isolated world."""

from __future__ import annotations

from .animations import END_ANIMATIONS
from .elements import PARENT, WALK
from .scripts import SET_STYLES

# A function for other scripts: all elements of the document, of open shadow roots and of frames of the same origin.
EVERY_ELEMENT = (
    WALK + "const everyElement = () => [...rootsOf(document)].flatMap(root => [...root.querySelectorAll('*')]);"
)

# Paper does not scroll: an element that scrolls would be cut at its edge. Each gets the height of its content, and so
# do the elements around it, which are often as tall as the window. A frame of the same origin gets the height that its
# document has at the width of the sheet's content, which is the argument (CSS pixels). Returns how many were expanded.
EXPAND_SCROLLERS = (
    "sheetWidth => {"
    + EVERY_ELEMENT
    + PARENT
    + SET_STYLES
    + """
  const rootOf = frame => { try { return frame.contentDocument?.documentElement; } catch { return null; } };
  const isFrame = element => /^I?FRAME$/.test(element.tagName);
  // What an element is like at the width that it will have on paper, where text takes more lines. Each time costs two
  // layouts, so there is a limit. What takes less than half of the window will hardly be narrower.
  let measured = 0;
  const onPaper = (element, measure) => {
    const shrink = element.offsetWidth * 2 < innerWidth ? 1 : Math.min(1, sheetWidth / innerWidth);
    if (shrink === 1 || !element.style || ++measured > 200) return measure();
    const before = element.style.cssText, width = `${element.offsetWidth * shrink}px`;
    set(element, { width, 'min-width': width, 'max-width': width, transition: 'none' });
    const result = measure();
    element.style.cssText = before;
    return result;
  };
  const overflows = element => element.clientHeight > 1 && element.scrollHeight > element.clientHeight + 1;
  const scrolls = element => {
    if (isFrame(element)) return Boolean(rootOf(element)) && onPaper(element, () => overflows(rootOf(element)));
    if (element === element.ownerDocument.scrollingElement || element.matches('textarea, select, input')) return false;
    if (!/auto|scroll/.test(getComputedStyle(element).overflowY)) return false;
    return overflows(element) || onPaper(element, () => overflows(element));
  };
  const changesTo = element => {
    const { top, position, display, minHeight } = getComputedStyle(element);
    const changes = {
      overflow: 'visible', height: 'auto', 'max-height': 'none', contain: 'none',
      'flex-basis': 'auto', 'flex-shrink': 0,
    };
    if (minHeight === '0px') changes['min-height'] = 'auto';
    // A fixed element would be printed on every sheet, and an absolute one between two edges keeps its height.
    if (/fixed|absolute/.test(position)) Object.assign(changes, { position: 'absolute', top, bottom: 'auto' });
    if (/grid/.test(display)) Object.assign(changes, { 'grid-template-rows': 'none', 'grid-auto-rows': 'auto' });
    return changes;
  };
  const fit = frame => {
    const height = onPaper(frame, () => rootOf(frame)?.scrollHeight);
    if (height) set(frame, { height: `${height}px` });
  };
  // Long lines are wrapped, cards stand in several rows, and anything else gets smaller.
  const narrow = element => {
    const { whiteSpace, display } = getComputedStyle(element);
    if (/^(pre|nowrap)$/.test(whiteSpace)) set(element, { 'white-space': 'pre-wrap', 'overflow-wrap': 'anywhere' });
    if (/flex/.test(display)) set(element, { 'flex-wrap': 'wrap' });
    const share = onPaper(element, () => element.clientWidth / element.scrollWidth);
    if (share < 1) set(element, { zoom: Math.max(share, 0.2) });
  };
  const elements = everyElement(), scrollers = elements.filter(scrolls), expanded = new Set();
  // Where the page itself scrolls, Chromium shrinks what is too wide.
  const isPage = element => element === element.ownerDocument.scrollingElement
    || (scrollers.includes(element) && element.clientHeight * 2 >= innerHeight);
  const sideways = elements.filter(element => element.clientWidth > 1
    && !element.matches('iframe, frame, textarea, select, input')
    && /auto|scroll/.test(getComputedStyle(element).overflowX) && !isPage(element)
    && onPaper(element, () => element.scrollWidth > element.clientWidth));
  for (const scroller of scrollers) {
    scroller.scrollTop = 0;
    for (let at = scroller; at && !expanded.has(at); at = parentOf(at)) expanded.add(at);
  }
  // All styles are read before the first is changed. A frame is measured after what is in it.
  const plan = [...expanded].map(element => [element, changesTo(element)]);
  plan.forEach(([element, changes]) => set(element, changes));
  elements.filter(element => isFrame(element) && expanded.has(element)).reverse().forEach(fit);
  sideways.forEach(narrow);
  return scrollers.length;
}"""
)

# Lengths that follow the height of the window (vh) would follow the height of the sheet instead. Run at one height of
# the window, and then at another: whatever differs keeps what it had the first time.
REMEMBER_HEIGHTS = (
    "(() => {"
    + EVERY_ELEMENT
    + """
  const names = ['height', 'min-height', 'max-height', 'padding-top', 'padding-bottom', 'margin-top', 'margin-bottom'];
  globalThis.heights = everyElement().map(element => {
    const style = getComputedStyle(element);
    return [element, names.map(name => [name, style.getPropertyValue(name)])];
  });
})()"""
)
PIN_HEIGHTS = """(() => {
  const changed = globalThis.heights.filter(([element]) => element !== document.documentElement).map(
    ([element, values]) => {
      const style = getComputedStyle(element);
      return [element, values.filter(([name, value]) => style.getPropertyValue(name) !== value)];
    });
  for (const [element, values] of changed) {
    for (const [name, value] of values) element.style?.setProperty(name, value, 'important');
  }
})()"""

# Once everything is in view: waits for the frames that tell the page so, and for what it then fades in. Chromium does
# not look again for observed elements when only the window has grown, but does so for a new observer.
SHOW_ALL = (
    "(async () => {"
    + END_ANIMATIONS
    + """
  for (let round = 0; round < 2; round++) {
    await Promise.race([
      new Promise(done => new IntersectionObserver((_, observer) => {
        observer.disconnect();
        requestAnimationFrame(() => requestAnimationFrame(done));
      }).observe(document.documentElement)),
      new Promise(done => setTimeout(done, 400)),
    ]);
    endAnimations();
  }
})()"""
)

# The lowest edge of anything in the document. `scrollHeight` is never less than the window's height.
CONTENT_HEIGHT = (
    "(() => {"
    + EVERY_ELEMENT
    + """
  const root = document.documentElement;
  if (root.scrollHeight > innerHeight) return root.scrollHeight;
  const bottoms = everyElement().filter(element => element.ownerDocument === document)
    .map(element => element.getBoundingClientRect().bottom);
  return Math.ceil(bottoms.reduce((a, b) => Math.max(a, b), root.getBoundingClientRect().bottom) + scrollY);
})()"""
)

# The values of `size` in the page's own @page rules. The rules of another site's style sheets cannot be read.
SHEET_SIZES = """(() => {
  const sizes = [];
  const visit = rules => {
    for (const rule of rules) {
      if (rule instanceof CSSPageRule) sizes.push(rule.style.getPropertyValue('size'));
      else if (rule.styleSheet || rule.cssRules) read(rule.styleSheet || rule);
    }
  };
  const read = sheet => { try { visit(sheet.cssRules); } catch { } };
  [...document.styleSheets, ...document.adoptedStyleSheets].forEach(read);
  return sizes.filter(Boolean).slice(0, 100);
})()"""
