const find = selector => document.querySelector(selector);
const cards = [...document.querySelectorAll('article')], main = find('main'), search = find('[type=search]');
const outcomes = [...document.querySelectorAll('.bar button')], dialog = find('dialog'), stage = find('.stage');
const ZOOMS = ['fit', 'width', 'actual'];
let records = null, current = 0, compares = false;
// Of five thousand results, the records are read once somebody asks for one.
const recordOf = card => (records ??= JSON.parse(find('#records').textContent))[Number(card.id.slice(1))];
const visible = () => [...main.children].filter(card => !card.hidden);
const fileUrl = file => file.split('/').map(encodeURIComponent).join('/');

const filter = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const outcome = find('.bar button[aria-pressed=true]').dataset.outcome, status = find('[data-filter]')?.value ?? '';
  let count = 0;
  for (const card of cards) {
    card.hidden = Boolean(outcome && card.dataset.outcome !== outcome) || Boolean(status && card.dataset.status !== status)
      || !words.every(word => card.dataset.text.includes(word));
    count += !card.hidden;
  }
  find('output').textContent = count === cards.length ? '' : `${count} of ${cards.length}`;
  find('.empty').hidden = count > 0;
};
const ORDERS = {
  outcome: (a, b) => (b.outcome === 'failed') - (a.outcome === 'failed'),
  title: (a, b) => (a.title || a.url).localeCompare(b.title || b.url),
  url: (a, b) => a.url.localeCompare(b.url),
};
const order = name => {
  const descending = (a, b) => (b[name] ?? -1) - (a[name] ?? -1), compare = ORDERS[name] ?? descending;
  main.append(...(name ? [...cards].sort((a, b) => compare(recordOf(a), recordOf(b))) : cards));
};
const show = card => {
  const record = recordOf(card), isPdf = record.file?.endsWith('.pdf'), file = record.file && fileUrl(record.file);
  current = visible().indexOf(card);
  find('dialog strong').textContent = `${current + 1} of ${visible().length}: ${record.title || record.url}`;
  find('dialog pre').textContent = JSON.stringify(record, (name, value) => name === 'before' ? undefined : value, 2);
  const where = find('.where'), link = card.querySelector('.text a[target]');
  where.replaceChildren(link ? link.cloneNode(true) : record.url);
  find('[data-compare]').hidden = !record.before;
  find('[data-compare]').setAttribute('aria-pressed', compares);
  stage.replaceChildren();
  if (record.before && compares && file) stage.append(makeSlider(fileUrl(record.before), file));
  else if (file && !isPdf) {
    stage.append(Object.assign(new Image(), { src: file, alt: `Screenshot of ${record.url}` }));
  } else if (file) stage.append(Object.assign(document.createElement('a'), { href: file, textContent: 'Open the PDF' }));
  else stage.append(Object.assign(document.createElement('p'), { textContent: record.errorMessage || record.reason || 'no image' }));
  stage.scrollTo(0, 0);
  if (!dialog.open) dialog.showModal();
  history.replaceState(null, '', `#${card.id}`);
};
const step = by => {
  const all = visible();
  if (all.length) show(all[(current + by + all.length) % all.length]);
};
const zoom = () => { stage.dataset.zoom = ZOOMS[(ZOOMS.indexOf(stage.dataset.zoom) + 1) % ZOOMS.length]; };
const compare = () => {
  compares = !compares;
  show(visible()[current]);
};

search.addEventListener('input', filter);
find('[data-filter]')?.addEventListener('change', filter);
find('[data-order]').addEventListener('change', event => order(event.target.value));
for (const button of outcomes) {
  button.addEventListener('click', () => {
    for (const other of outcomes) other.setAttribute('aria-pressed', other === button);
    filter();
  });
}
main.addEventListener('click', event => {
  const preview = event.target.closest('.preview');
  // As with any link, a modified click opens the file itself.
  if (!preview || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(preview.closest('article'));
});
dialog.addEventListener('click', event => {
  const { dataset, tagName } = event.target.closest('button, img') ?? { dataset: {} };
  if (dataset.step) step(Number(dataset.step));
  else if ('zoom' in dataset || tagName === 'IMG') zoom();
  else if ('compare' in dataset) compare();
  else if ('close' in dataset) dialog.close();
});
dialog.addEventListener('close', () => {
  history.replaceState(null, '', location.pathname + location.search);
  visible()[current]?.querySelector('.preview').focus();
});
addEventListener('keydown', event => {
  const isTyping = /^(input|select|textarea)$/i.test(event.target.tagName);
  if (!dialog.open && event.key === '/' && !isTyping) {
    event.preventDefault();
    search.focus();
  }
  if (!dialog.open || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  if (event.key === 'ArrowRight') step(1);
  else if (event.key === 'ArrowLeft') step(-1);
  else if (event.key === 'z') zoom();
  else if (event.key === 'c' && !find('[data-compare]').hidden) compare();
});
const linked = location.hash && document.getElementById(location.hash.slice(1));
if (linked?.matches('article')) show(linked);
