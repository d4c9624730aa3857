'use strict';
const one = (selector, within = document) => within.querySelector(selector);
const FINAL = ['success', 'failed'];
const WORDS = { queued: 'waiting', processing: 'being captured', success: 'captured', failed: 'failed' };
const OPTIONS = { phone: { device: 'iphone-15' }, tablet: { device: 'ipad-mini' } };
// A small page takes less than a second; whoever waits for a large one sees it two seconds late at most.
const FIRST_PAUSE = 400, LONGEST_PAUSE = 2000, LIST_PAUSE = 10000, PAGES = 5;
const records = new Map(), cards = new Map();
const form = one('#send'), main = one('main'), dialog = one('dialog'), problem = one('.problem'), empty = one('.empty');
let filter = '', open = null, pause = FIRST_PAUSE, timer = 0;

const at = record => record.queuedAt ?? record.updatedAt ?? 0;
const path = (id, rest = '') => `/v1/screenshots/${encodeURIComponent(id)}${rest}`;
const listed = () => [...records.values()].filter(isShown).sort((a, b) => at(b) - at(a) || (a.id < b.id ? -1 : 1));
const isShown = ({ status }) => !filter || (filter === 'waiting' ? !FINAL.includes(status) : status === filter);
const isPdf = record => record.contentType === 'application/pdf';

async function call(url, body) {
  const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(url, body === undefined ? {} : post);
  } catch {
    throw new Error('Stillframe does not answer. Is `stillframe serve` still running?');
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.detail ?? `HTTP status ${answer.status}`);
  return value;
}

// A problem stays until its own cause is gone: what the form had is not cleared by a list that was read.
function complain(error, cause = 'form') {
  if (!error && problem.dataset.cause !== cause) return;
  problem.dataset.cause = cause;
  problem.textContent = error?.message ?? '';
  problem.hidden = !error;
}

function keep(record) {
  const known = records.get(record.id);
  if (known && FINAL.includes(known.status) && known.updatedAt > (record.updatedAt ?? 0)) return;
  records.set(record.id, { ...known, ...record });
  draw(record.id);
}

function draw(id) {
  const record = records.get(id);
  let card = cards.get(id);
  if (!card) {
    card = one('template').content.firstElementChild.cloneNode(true);
    card.id = `of-${id}`;
    one('.preview', card).addEventListener('click', () => view(id));
    one('.again', card).addEventListener('click', () => again(id));
    cards.set(id, card);
  }
  const { status, url, title, errorCode, errorMessage } = record;
  const state = `${status} ${record.updatedAt}`;
  if (card.dataset.state !== state) {
    card.dataset.state = state;
    card.setAttribute('aria-busy', !FINAL.includes(status));
    const badge = one('.badge', card), note = one('.note', card), preview = one('.preview', card);
    badge.className = `badge ${status}`;
    badge.textContent = WORDS[status];
    one('h2', card).textContent = title || url;
    one('p', card).textContent = url;
    note.textContent = errorMessage ? `${errorCode}: ${errorMessage}` : '';
    note.hidden = !errorMessage;
    one('.again', card).hidden = status !== 'failed';
    preview.className = `preview ${status !== 'success' ? 'none' : isPdf(record) ? 'sheet' : ''}`;
    preview.setAttribute('aria-label', `Look at ${url}`);
    preview.replaceChildren(status !== 'success' ? WORDS[status] : isPdf(record) ? 'PDF' : image(record));
    if (open === id) show(id);
  }
}

function image(record) {
  const element = new Image();
  element.loading = 'lazy';
  element.alt = `Screenshot of ${record.url}`;
  element.src = path(record.id, '/image');
  return element;
}

function arrange() {
  const order = listed().map(({ id }) => cards.get(id));
  order.forEach((card, place) => {
    if (main.children[place] !== card) main.insertBefore(card, main.children[place] ?? null);
  });
  while (main.children.length > order.length) main.lastElementChild.remove();
  empty.hidden = order.length > 0;
  const waiting = [...records.values()].filter(({ status }) => !FINAL.includes(status)).length;
  const text = `${records.size} ${records.size === 1 ? 'screenshot' : 'screenshots'}${waiting ? `, ${waiting} waiting` : ''}`;
  const output = one('output', form);
  if (output.textContent !== text) output.textContent = text;
}

async function list() {
  let cursor = '';
  for (let page = 0; page < PAGES; page += 1) {
    const found = await call(`/v1/screenshots${cursor && `?cursor=${encodeURIComponent(cursor)}`}`);
    found.items.forEach(keep);
    cursor = found.cursor ?? '';
    if (!cursor) break;
  }
  arrange();
}

async function follow() {
  const waiting = [...records.values()].filter(({ status }) => !FINAL.includes(status)).slice(0, 20);
  const answers = await Promise.allSettled(waiting.map(({ id }) => call(path(id))));
  answers.forEach(({ value }) => value && keep(value));
  arrange();
  clearTimeout(timer);
  if (waiting.length) timer = setTimeout(follow, pause = Math.min(pause * 1.3, LONGEST_PAUSE));
}

function watch() {
  pause = FIRST_PAUSE;
  clearTimeout(timer);
  timer = setTimeout(follow, pause);
}

async function again(id) {
  try {
    await call(path(id, '/retry'), {});
    complain(null);
    keep(await call(path(id)));
    watch();
  } catch (error) {
    complain(error);
  }
}

form.addEventListener('submit', async event => {
  event.preventDefault();
  const { url, device, fullPage, dark } = form.elements;
  const typed = url.value.trim();
  const options = { ...OPTIONS[device.value], ...(fullPage.checked && { fullPage: true }), ...(dark.checked && { colorScheme: 'dark' }) };
  const request = { url: /^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `https://${typed}`, options };
  // Whoever presses the button wants the page as it is now, also of one that was captured before.
  const random = crypto.getRandomValues(new Uint32Array(3)).join('-');
  try {
    const sent = await call('/v1/screenshots', { ...request, requestId: `page-${random}` });
    complain(null);
    keep({ ...sent, queuedAt: Date.now(), updatedAt: 0 });
    arrange();
    watch();
    url.select();
  } catch (error) {
    complain(error);
  }
});

one('.filters').addEventListener('click', ({ target }) => {
  if (target.dataset.status === undefined) return;
  filter = target.dataset.status;
  document.querySelectorAll('[data-status]').forEach(each => each.setAttribute('aria-pressed', each === target));
  arrange();
});

function show(id) {
  const record = records.get(id), stage = one('.stage', dialog);
  open = id;
  one('strong', dialog).textContent = record.title || record.url;
  one('aside p', dialog).textContent = `${record.url}: ${WORDS[record.status]}`;
  one('aside pre', dialog).textContent = JSON.stringify(record, null, 2);
  const link = document.createElement('a');
  link.href = path(id, '/image');
  link.textContent = 'Open the PDF';
  stage.replaceChildren(record.status !== 'success' ? record.errorMessage ?? WORDS[record.status] : isPdf(record) ? link : image(record));
}

function view(id) {
  show(id);
  zoom('fit');
  if (!dialog.open) dialog.showModal();
}

function zoom(size) {
  one('.stage', dialog).dataset.zoom = size;
  one('button[data-zoom]', dialog).setAttribute('aria-pressed', size === 'actual');
}

function step(by) {
  const order = listed(), place = order.findIndex(({ id }) => id === open) + by;
  if (order[place]) view(order[place].id);
}

const toggle = () => zoom(one('.stage', dialog).dataset.zoom === 'fit' ? 'actual' : 'fit');
dialog.addEventListener('click', ({ target }) => {
  if (target.dataset.step) step(Number(target.dataset.step));
  else if (target.dataset.close !== undefined) dialog.close();
  else if (target.matches('button[data-zoom], .stage img')) toggle();
});
dialog.addEventListener('close', () => {
  const card = cards.get(open);
  open = null;
  card?.isConnected && one('.preview', card).focus();
});
document.addEventListener('keydown', event => {
  if (!dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'ArrowLeft') step(-1);
  else if (event.key === 'ArrowRight') step(1);
  else if (event.key === 'z') toggle();
});

async function refresh() {
  try {
    if (!document.hidden) await list();
    complain(null, 'list');
    if ([...records.values()].some(({ status }) => !FINAL.includes(status))) watch();
  } catch (error) {
    complain(error, 'list');
  }
  setTimeout(refresh, LIST_PAUSE);
}
refresh();
