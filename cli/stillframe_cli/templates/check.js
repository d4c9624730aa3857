// Shows one page at a time, in the view that was chosen.
const sections = [...document.querySelectorAll('section')], links = [...document.querySelectorAll('.checks ol a')];
const views = [...document.querySelectorAll('.bar button[data-view]')];
let current = 0, view = 'side by side';

const makeOverlay = (before, after) => {
  const overlay = document.createElement('div'), sheets = document.createElement('div');
  const share = Object.assign(document.createElement('input'), { type: 'range', min: 0, max: 1, step: 'any', value: .5 });
  overlay.className = 'overlay';
  sheets.className = 'sheets';
  for (const [source, name] of [[before, 'Before'], [after, 'After']]) {
    sheets.append(Object.assign(new Image(), { src: source, alt: name }));
  }
  share.setAttribute('aria-label', 'How much of the image after is seen over the one before');
  share.addEventListener('input', () => sheets.style.setProperty('--share', share.value));
  overlay.append(share, sheets);
  return overlay;
};

// Made when they are first seen: a report may have hundreds of pages.
const prepare = section => {
  if (section.dataset.ready) return;
  section.dataset.ready = 'yes';
  const source = name => section.querySelector(`figure[data-image=${name}] img`)?.src;
  const before = source('before'), after = source('after'), stages = section.querySelector('.stages');
  if (!before || !after) return;
  for (const [name, made] of [['slider', makeSlider(before, after)], ['overlay', makeOverlay(before, after)]]) {
    made.dataset.made = name;
    stages.append(made);
  }
};

const show = () => {
  const section = sections[current];
  if (!section) return;
  sections.forEach((each, number) => { each.hidden = number !== current; });
  links.forEach((each, number) => each.toggleAttribute('aria-current', number === current));
  links[current].scrollIntoView({ block: 'nearest' });
  for (const button of views) button.setAttribute('aria-pressed', button.dataset.view === view);
  prepare(section);
  const images = [...section.querySelectorAll('figure')], made = [...section.querySelectorAll('[data-made]')];
  // Without both images there is nothing to lay over one another.
  const isWhole = made.length > 0, wanted = isWhole ? view : 'side by side';
  for (const image of images) {
    const isMarked = image.dataset.image === 'changed';
    image.hidden = wanted === 'changed' ? !isMarked : wanted !== 'side by side' || isMarked;
  }
  for (const each of made) each.hidden = each.dataset.made !== wanted;
  section.querySelector('.stages').classList.toggle('single', wanted !== 'side by side');
  if (wanted === 'slider' || wanted === 'overlay') {
    section.querySelector(`[data-made=${wanted}] input`).focus({ preventScroll: true });
  }
};

const choose = number => {
  current = Math.max(0, Math.min(sections.length - 1, number));
  history.replaceState(null, '', `#${sections[current]?.id ?? ''}`);
  show();
};
const findHash = () => sections.findIndex(each => each.id === decodeURIComponent(location.hash.slice(1)));

links.forEach((link, number) => link.addEventListener('click', event => {
  event.preventDefault();
  choose(number);
}));
for (const button of views) {
  button.addEventListener('click', () => { view = button.dataset.view; show(); });
}
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const button = views.find(each => each.getAttribute('aria-keyshortcuts') === event.key);
  if (button) button.click();
  else if (event.key === 'j' || event.key === 'n') choose(current + 1);
  else if (event.key === 'k' || event.key === 'p') choose(current - 1);
});
addEventListener('hashchange', () => { if (findHash() >= 0) choose(findHash()); });
current = Math.max(0, findHash());
show();
