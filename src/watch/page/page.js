import { Chart, CHARTS, count, seconds } from './charts.js';

// Text from the endpoint is set as text only, so that a name that contains HTML is shown as written.
const element = (id) => document.getElementById(id);
const MOST_FIGURES = 900;
const MOST_LINES = 200;
// The process sends a heartbeat every 5 s.
const SILENT_MS = 20_000;
const LOOK_EVERY_MS = 1_000;

let figures = [];
let lines = [];
let bands = [];
let source;
let gapMs = Infinity;
let heardAt = 0;
let drawing = false;

const charts = CHARTS.map((kind) => new Chart(kind, element('charts')));
const chosen = { pool: element('pool'), instance: element('instance') };

function connect() {
  source?.close();
  heardAt = performance.now();
  const query = new URLSearchParams();
  for (const [name, select] of Object.entries(chosen)) if (select.value !== '') query.set(name, select.value);
  source = new EventSource(`events?${query}`);
  source.addEventListener('all', ({ data }) => {
    figures = [];
    lines = [];
    take(JSON.parse(data));
  });
  source.addEventListener('update', ({ data }) => take(JSON.parse(data)));
  source.addEventListener('alive', () => (heardAt = performance.now()));
  source.addEventListener('error', () => {
    heardAt = performance.now();
    state({
      live: false,
      text: 'The process is gone. The last values are shown; the page goes on when it is back.',
    });
    // A browser stops retrying if the server answers with an error.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
}

/** A page that slept, or whose connection was lost silently, starts over instead of catching up. */
function listen() {
  if (performance.now() - heardAt < SILENT_MS) return;
  state({ live: false, text: `Nothing heard for ${SILENT_MS / 1000} s. The last values are shown.` });
  connect();
}

function take(update) {
  heardAt = performance.now();
  document.title = `pgauge: ${update.title}`;
  setText(element('title'), update.title);
  state(update.state);
  offer(chosen.pool, update.choices.pools, 'all pools');
  offer(chosen.instance, update.choices.instances, 'all instances');
  element('choices').hidden = update.choices.pools.length < 2 && update.choices.instances.length < 2;
  ({ bands, gapMs } = update);
  figures = [...figures, ...update.figures].slice(-MOST_FIGURES);
  if (update.lines.length > 0) show([...lines, ...update.lines].slice(-MOST_LINES));
  drawSoon();
}

/** Many updates at once are drawn once, and none while the page is hidden. */
function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

function draw() {
  const phase = bands.at(-1);
  element('phases').hidden = phase === undefined;
  if (phase)
    setText(
      element('phases'),
      `Phases: ${bands.map(({ name }) => name).join(', ')}${phase.to ? '' : ' (now)'}`,
    );
  for (const chart of charts) chart.draw(figures, bands, gapMs);
  const now = figures.at(-1);
  if (now === undefined) return;
  const values = [
    ['Used of limit', `${now.used} / ${now.limit}`],
    ['Idle', String(now.idle)],
    ['Connecting', String(now.connecting)],
    ['Waiting', String(now.pending)],
    ['Acquire p99', seconds(now.acquireP99S)],
    ['Token refresh p99', seconds(latest('tokenP99S'))],
    ['Queries', now.queriesPerS === null ? '–' : `${count(now.queriesPerS)}/s`],
    ['Errors', now.errorsPerS === null ? '–' : `${count(now.errorsPerS)}/s`],
  ];
  const list = element('now');
  for (const [i, [name, value]] of values.entries()) {
    const item = list.children[i] ?? list.appendChild(tile());
    setText(item.firstChild, name);
    setText(item.lastChild, value);
  }
}

/** The latest known value, because tokens are rare. */
function latest(name) {
  return figures.findLast((each) => each[name] !== null)?.[name] ?? null;
}

function tile() {
  const item = document.createElement('div');
  item.append(document.createElement('dt'), document.createElement('dd'));
  return item;
}

function state({ live, text }) {
  element('state').classList.toggle('gone', !live);
  setText(element('state'), text);
}

function show(all) {
  lines = all;
  const place = element('lines');
  const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 8;
  element('lines-section').hidden = false;
  place.textContent = lines.join('\n');
  if (atEnd) place.scrollTop = place.scrollHeight;
}

/** Keeps the selected name, even while it is not offered. */
function offer(select, names, all) {
  const wanted = ['', ...new Set([...names, ...(select.value === '' ? [] : [select.value])])];
  if (wanted.join('\n') === [...select.options].map(({ value }) => value).join('\n')) return;
  const { value } = select;
  select.replaceChildren(...wanted.map((name) => new Option(name === '' ? all : name, name)));
  select.value = value;
}

/** Sets a text only if it has changed, so that a screen reader does not read it again. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

for (const select of Object.values(chosen)) select.addEventListener('change', connect);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts) chart.forget();
  drawSoon();
});
connect();
setInterval(listen, LOOK_EVERY_MS);
