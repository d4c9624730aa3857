// Shows one period of one page, and goes through time.
const lines = JSON.parse(document.getElementById('lines').textContent);
const byId = id => document.getElementById(id), views = [...document.querySelectorAll('.bar button[data-view]')];
const time = byId('time'), marks = byId('marks'), stage = byId('stage'), pages = byId('page');
let periods = [], view = 'image';

const kindOf = period => period.changed ? 'changed' : period.unconfirmed ? 'unconfirmed'
  : ['failed', 'missed'].includes(period.state) ? period.state : period.state === 'success' ? 'same' : period.state;
const textOf = period => {
  if (period.problem) return period.problem;
  if (period.state !== 'success') return period.state === 'missed' ? 'Nobody captured this period.' : '';
  if (!period.file) return 'The image is gone.';
  if (period.difference === null || period.difference === undefined) return '';
  if (!period.difference) return 'Nothing changed.';
  return `${period.difference < 0.0001 ? 'Less than 0.01' : (period.difference * 100).toFixed(2)} % of the pixels changed.`;
};
const picture = (file, name) => Object.assign(new Image(), { src: file, alt: name });

const earlier = at => periods.slice(0, at).reverse().find(period => period.file);

const show = () => {
  const at = Number(time.value), period = periods[at], before = earlier(at);
  [...marks.children].forEach((mark, number) => mark.classList.toggle('now', number === at));
  byId('period').textContent = period.period.replace('T', ' ').replace('Z', '');
  byId('state').textContent = kindOf(period);
  byId('state').className = `badge ${kindOf(period)}`;
  byId('about').textContent = [textOf(period), period.id].filter(Boolean).join(' · ');
  byId('regions').replaceChildren(...(period.regions ?? []).map(text => Object.assign(document.createElement('li'), { textContent: text })));
  time.setAttribute('aria-valuetext', `${period.period}, ${kindOf(period)}`);
  for (const button of views) button.setAttribute('aria-pressed', button.dataset.view === view);
  if (!period.file) stage.replaceChildren();
  else if (view === 'slider' && before) stage.replaceChildren(makeSlider(before.file, period.file));
  else if (view === 'changed' && period.marked) stage.replaceChildren(picture(period.marked, 'What changed'));
  else stage.replaceChildren(picture(period.file, 'The page in this period'));
};

const move = step => { time.value = Number(time.value) + step; show(); };
const seek = step => {
  for (let at = Number(time.value) + step; at >= 0 && at < periods.length; at += step) {
    if (periods[at].changed) { time.value = at; show(); return; }
  }
};
const open = number => {
  periods = lines[number].periods;
  time.max = periods.length - 1;
  time.value = periods.length - 1;
  marks.replaceChildren(...periods.map(period => Object.assign(document.createElement('i'), { className: kindOf(period), title: period.period })));
  show();
};

time.addEventListener('input', show);
pages?.addEventListener('change', () => open(Number(pages.value)));
byId('back').addEventListener('click', () => seek(-1));
byId('forth').addEventListener('click', () => seek(1));
for (const button of views) button.addEventListener('click', () => { view = button.dataset.view; show(); });
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input, select')) return;
  const keys = { ArrowLeft: () => move(-1), ArrowRight: () => move(1), n: () => seek(1), p: () => seek(-1) };
  const wanted = views['123'.indexOf(event.key)];
  if (wanted) wanted.click();
  else if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
open(0);
