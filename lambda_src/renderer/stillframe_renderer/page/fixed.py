"""What is fixed to the window: where it belongs on a full page, which is taller than the window."""

from __future__ import annotations

from .elements import WALK
from .scripts import FIXED_WITHIN, SET_STYLES
from .world import World

# A function for other scripts: whether an element belongs to the bottom of the window. What covers most of the window,
# such as a dialog or a sidebar, does not.
IS_AT_BOTTOM = """const isAtBottom = box => {
    const below = innerHeight - box.bottom;
    return box.height > 0 && box.height * 2 <= innerHeight && Math.abs(below) < Math.abs(box.top);
  };"""

# Backgrounds go behind the whole page, bars that are fixed or stick to the bottom go to its bottom, and the backdrop of
# a dialog darkens all of it. A shadow continues a backdrop without changing the layout of what is in it.
PLACE_FIXED = (
    "(() => {"
    + WALK
    + SET_STYLES
    + FIXED_WITHIN
    + IS_AT_BOTTOM
    + """
  const height = %d, rules = [];
  const isInFixed = fixedWithin(null);
  // A scroll bar may take some of the width.
  const width = innerWidth - 20;
  const coversWindow = box => box.top <= 0 && box.left <= 0 && box.bottom >= innerHeight && box.right >= width;
  const alphaOf = colour => {
    const parts = colour.match(/[0-9.]+/g) ?? [];
    return /^rgba|[/]/.test(colour) ? parseFloat(parts.at(-1)) : 1;
  };
  // Opaque panels hide no more of the page than the window.
  const isTranslucent = (style, parent) => {
    const alpha = alphaOf(style.backgroundColor) * style.opacity * opacityOf(parent);
    return alpha > 0.02 && alpha < 0.98;
  };
  const opacityOf = element => element ? getComputedStyle(element).opacity * opacityOf(element.parentElement) : 1;
  const shadowOf = style => `0 0 0 ${height}px ${style.backgroundColor}`;
  // A pseudo-element is reached by a rule alone. Its place in the document names it without marking it.
  const pathTo = element => element === document.documentElement ? ':root'
    : `${pathTo(element.parentElement)} > :nth-child(${[...element.parentElement.children].indexOf(element) + 1})`;
  const continuePseudo = (element, name, parent) => {
    const style = getComputedStyle(element, name);
    if (name !== '::backdrop' && (style.content === 'none' || style.position !== 'fixed')) return;
    const covers = parseFloat(style.width) >= width && parseFloat(style.height) >= innerHeight;
    if (!covers || !isTranslucent(style, parent)) return;
    rules.push(`${pathTo(element)}${name} { box-shadow: ${shadowOf(style)} !important }`);
  };
  // The block that cuts what is fixed within it to its own size: a backdrop that stays where it is in the window.
  const clipOf = element => {
    for (let node = element.parentElement; node; node = node.parentElement) {
      const style = getComputedStyle(node);
      if (style.clipPath !== 'none' || (style.clip !== 'auto' && style.position === 'absolute')) return node;
    }
    return null;
  };
  const fill = (element, block) => {
    if (getComputedStyle(block).position === 'static') set(block, { position: 'relative' });
    set(element, {
      position: 'absolute', inset: '0 auto auto 0', width: block.offsetWidth + 'px', height: block.offsetHeight + 'px',
    });
  };
  for (const root of rootsOf(document)) {
    if ((root.ownerDocument ?? root) !== document) continue;
    for (const element of root.querySelectorAll('*')) {
      const style = getComputedStyle(element);
      if (style.position === 'sticky' && style.bottom !== 'auto' && style.top === 'auto') {
        set(element, { position: 'relative', bottom: 'auto' });
      } else if (style.position === 'fixed' && style.translate === 'none') {
        const box = element.getBoundingClientRect(), clip = clipOf(element);
        // A background behind the content is behind all of it.
        const isBehind = style.zIndex < 0 && box.top <= 0 && box.bottom >= innerHeight;
        if (clip) fill(element, clip);
        else if (isBehind) set(element, { position: 'absolute', height: height + 'px' });
        else if (isAtBottom(box)) set(element, { transition: 'none', translate: `0 ${height - innerHeight}px` });
      }
      if (/fixed|absolute/.test(style.position) && !(style.zIndex < 0) && isInFixed(element)
          && coversWindow(element.getBoundingClientRect()) && isTranslucent(style, element.parentElement)) {
        set(element, { 'box-shadow': shadowOf(style), transition: 'none' });
      }
      if (root !== document || element.matches(COMMON)) continue;
      for (const name of ['::before', '::after']) continuePseudo(element, name, element);
      if (element.matches('dialog[open], :popover-open')) continuePseudo(element, '::backdrop', null);
    }
  }
  if (rules.length) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules.join(' '));
    (globalThis.stillframeSheets ??= new Set()).add(sheet);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
})()"""
)


async def place_fixed(world: World, height: int) -> None:
    """Put what is fixed to the window where it belongs on a page of this height (CSS pixels)."""
    await world.evaluate(PLACE_FIXED % height)
