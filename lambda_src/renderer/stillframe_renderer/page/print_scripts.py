"""The scripts that prepare a page for printing, in the isolated world."""

from __future__ import annotations

# A function for other scripts: every element of the document, those in open shadow roots included.
EVERY_ELEMENT = """const everyElement = root => [...root.querySelectorAll('*')].flatMap(element =>
    element.shadowRoot ? [element, ...everyElement(element.shadowRoot)] : [element]);"""

# Paper does not scroll: an element that scrolls would be cut at its edge. Each gets the height of its content, and so
# do the elements around it, which are often as tall as the window. Returns how many elements were expanded.
EXPAND_SCROLLERS = (
    "(() => {"
    + EVERY_ELEMENT
    + """
  const scrolls = element => {
    if (element === document.scrollingElement || element.matches('textarea, select, input')) return false;
    return element.clientHeight > 1 && element.scrollHeight > element.clientHeight + 1
      && /auto|scroll/.test(getComputedStyle(element).overflowY);
  };
  const parentOf = node => {
    const parent = node.assignedSlot || node.parentNode;
    return parent instanceof ShadowRoot ? parent.host : parent;
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
  const scrollers = everyElement(document).filter(scrolls), expanded = new Set();
  for (const scroller of scrollers) {
    scroller.scrollTop = 0;
    for (let element = scroller; element instanceof Element && !expanded.has(element); element = parentOf(element)) {
      expanded.add(element);
    }
  }
  // All styles are read before the first is changed.
  for (const [element, changes] of [...expanded].map(element => [element, changesTo(element)])) {
    for (const [name, value] of Object.entries(changes)) element.style.setProperty(name, value, 'important');
  }
  return scrollers.length;
})()"""
)

# Lengths that follow the height of the window (vh) would follow the height of the sheet instead. Run at one height of
# the window, and then at another: whatever differs keeps what it had the first time.
REMEMBER_HEIGHTS = (
    "(() => {"
    + EVERY_ELEMENT
    + """
  const names = ['height', 'min-height', 'max-height', 'padding-top', 'padding-bottom', 'margin-top', 'margin-bottom'];
  globalThis.heights = everyElement(document).map(element => {
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
    for (const [name, value] of values) element.style.setProperty(name, value, 'important');
  }
})()"""

# The lowest edge of anything in the document. `scrollHeight` is never less than the window's height.
CONTENT_HEIGHT = (
    "(() => {"
    + EVERY_ELEMENT
    + """
  const root = document.documentElement;
  if (root.scrollHeight > innerHeight) return root.scrollHeight;
  const bottoms = everyElement(document.body || root).map(element => element.getBoundingClientRect().bottom);
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
