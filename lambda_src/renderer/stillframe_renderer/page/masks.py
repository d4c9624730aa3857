"""Covering elements before the screenshot: with a box of one colour, or by blurring them.

Both are filters of the elements themselves, so they stay with an element wherever the camera moves it, and a PDF does
not contain the text behind them.
"""

from __future__ import annotations

from stillframe.errors import ContentRefused
from stillframe.request.options import RenderOptions

from .elements import WALK
from .scripts import SET_STYLES
from .world import World

# An element with `display: contents` has no box, but its children have.
MATCHES = (
    WALK
    + """
  const boxesOf = element => getComputedStyle(element).display === 'contents'
    ? [...(element.shadowRoot ?? element).children].flatMap(boxesOf) : [element];
  const matches = (root, selectors) => selectors.flatMap(each => [...root.querySelectorAll(each)]).flatMap(boxesOf);
  // No page can know it before.
  const id = globalThis.stillframeMask ??= `stillframe-${[...crypto.getRandomValues(new Uint32Array(4))].join('-')}`;
"""
)
# In open shadow roots and frames of the same origin as well, each of which needs a filter of its own. It fills the box
# of an element, and the path cuts off what overflows the box.
COVER = (
    "(masked, colour, blurred, radius) => {"
    + MATCHES
    + SET_STYLES
    + """
  const addFilter = root => {
    if (root.getElementById(id)) return;
    const create = (name, attributes, ...children) => {
      const element = (root.ownerDocument ?? root).createElementNS('http://www.w3.org/2000/svg', name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      element.append(...children);
      return element;
    };
    const flood = create('feFlood', { 'flood-color': colour });
    const area = { x: 0, y: 0, width: 1, height: 1, 'color-interpolation-filters': 'sRGB' };
    const filter = create('filter', { id, ...area }, flood);
    const image = create('svg', { width: 0, height: 0, 'aria-hidden': true }, filter);
    set(image, { position: 'absolute', display: 'block' });
    (root.documentElement ?? root).append(image);
  };
  const blurredAlready = globalThis.stillframeBlurred ??= new WeakSet();
  for (const root of [...rootsOf(document)]) {
    for (const element of matches(root, blurred)) {
      const own = getComputedStyle(element).filter;
      if (blurredAlready.has(element) && own.includes('blur(')) continue;
      blurredAlready.add(element);
      set(element, { transition: 'none', filter: `${own === 'none' ? '' : own} blur(${radius}px)` });
    }
    for (const element of matches(root, masked)) {
      addFilter(element.getRootNode());
      const isSeen = getComputedStyle(element).opacity !== '0';
      if (isSeen) set(element, { opacity: 1 });
      set(element, { transition: 'none', filter: `url(#${id})`, 'clip-path': 'inset(0)' });
    }
  }
}"""
)
IS_COVERED = (
    "(masked, blurred) => {"
    + MATCHES
    + """
  // What has no box, or is in a frame without one, is not shown and has no filter.
  const has = (element, filter) =>
    !element.getClientRects().length || getComputedStyle(element).filter.includes(filter);
  return [...rootsOf(document)].every(root => matches(root, blurred).every(element => has(element, 'blur('))
    && matches(root, masked).every(element => has(element, id) && element.getRootNode().getElementById(id)));
}"""
)


async def cover(world: World, options: RenderOptions) -> None:
    """Mask and blur all elements that match. Again, if new ones come.

    Raises InvalidRequest for an invalid selector. Some pages remove whatever they have not put into themselves: their
    scripts are stopped. Raises ContentRefused if the elements are not covered even so.
    """
    if not options.mask and not options.blur:
        return
    for has_scripts in (True, False):
        if not has_scripts:
            await world.stop_scripts()
        await world.call(COVER, options.mask, options.mask_color, options.blur, options.blur_radius)
        if await world.call(IS_COVERED, options.mask, options.blur):
            return
    raise ContentRefused("options: mask, blur: the page takes off what covers its elements")
