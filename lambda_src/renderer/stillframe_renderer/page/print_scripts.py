"""The scripts that prepare a page for printing, in the isolated world."""

from __future__ import annotations

# A function for other scripts: every element of the document, those in open shadow roots included.
EVERY_ELEMENT = """const everyElement = root => [...root.querySelectorAll('*')].flatMap(element =>
    element.shadowRoot ? [element, ...everyElement(element.shadowRoot)] : [element]);"""

# Paper does not scroll: an element that scrolls would be cut at its edge. Each gets the height of its content, and so
# do the elements around it, which are often as tall as the window. A frame gets the height that its document has at
# the width of the sheet, if it is of the same origin; another's document cannot be read. The argument is the width of
# the sheet's content in CSS pixels. Returns how many elements were expanded.
EXPAND_SCROLLERS = (
    "sheetWidth => {"
    + EVERY_ELEMENT
    + """
  const styleOf = element => element.ownerDocument.defaultView.getComputedStyle(element);
  const rootOf = frame => { try { return frame.contentDocument?.documentElement; } catch { return null; } };
  const overflows = element => element.clientHeight > 1 && element.scrollHeight > element.clientHeight + 1;
  const scrolls = element => {
    if (element.matches('iframe, frame')) return Boolean(rootOf(element)) && overflows(rootOf(element));
    if (element === element.ownerDocument.scrollingElement || element.matches('textarea, select, input')) return false;
    return overflows(element) && /auto|scroll/.test(styleOf(element).overflowY);
  };
  const parentOf = node => {
    const parent = node.assignedSlot || node.parentNode;
    return parent && parent.nodeType === Node.DOCUMENT_FRAGMENT_NODE ? parent.host : parent;
  };
  const changesTo = element => {
    const { top, position, display, minHeight } = styleOf(element);
    const changes = {
      overflow: 'visible', height: 'auto', 'max-height': 'none', contain: 'none',
      'flex-basis': 'auto', 'flex-shrink': 0,
    };
    if (minHeight === '0px') changes['min-height'] = 'auto';
    // A fixed element would be printed on every sheet, and an absolute one between two edges keeps its height.
    if (/fixed|absolute/.test(position)) Object.assign(changes, { position: 'absolute', top, bottom: 'auto' });
    if (/grid/.test(display)) Object.assign(changes, { 'grid-template-rows': 'none', 'grid-auto-rows': 'auto' });
    if (element.matches('iframe, frame')) changes.height = `${heightOf(element)}px`;
    return changes;
  };
  const heightOf = frame => {
    const width = frame.clientWidth, before = frame.style.cssText;
    frame.style.setProperty('width', `${Math.min(width, width * sheetWidth / innerWidth)}px`, 'important');
    const height = rootOf(frame).scrollHeight;
    frame.style.cssText = before;
    return height;
  };
  const apply = (element, changes) => {
    for (const [name, value] of Object.entries(changes)) element.style.setProperty(name, value, 'important');
  };
  const expand = root => {
    const elements = everyElement(root), expanded = new Set();
    const inFrames = elements.filter(element => element.matches('iframe, frame') && rootOf(element))
      .reduce((sum, frame) => sum + expand(frame.contentDocument), 0);
    const scrollers = elements.filter(scrolls);
    for (const scroller of scrollers) {
      scroller.scrollTop = 0;
      for (let at = scroller; at?.nodeType === Node.ELEMENT_NODE && !expanded.has(at); at = parentOf(at)) {
        expanded.add(at);
      }
    }
    // All styles are read before the first is changed.
    const plan = [...expanded].map(element => [element, changesTo(element)]);
    plan.forEach(([element, changes]) => apply(element, changes));
    // Long lines scroll sideways.
    elements.filter(each => each.scrollWidth > each.clientWidth && /^(pre|nowrap)$/.test(styleOf(each).whiteSpace)
      && /auto|scroll/.test(styleOf(each).overflowX)).forEach(each => apply(each, WRAP));
    return scrollers.length + inFrames;
  };
  const WRAP = { 'white-space': 'pre-wrap', 'overflow-wrap': 'anywhere' };
  return expand(document);
}"""
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
