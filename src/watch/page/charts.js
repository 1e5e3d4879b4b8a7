import { drawBands, NAMES_HEIGHT } from './bands.js';

/** @typedef {{ label: string, color: string, value: (figures: any) => number | null, unit: string, stacked?: boolean, dash?: boolean, scale?: string }} Line */

/** A time in seconds with its significant digits. */
export function seconds(value) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0 s';
  if (value >= 1) return `${value.toFixed(value < 10 ? 2 : 1)} s`;
  const ms = value * 1000;
  return `${ms.toFixed(ms < 1 ? 2 : ms < 10 ? 1 : 0)} ms`;
}

/** A count, or a number of events per second. */
export function count(value) {
  if (value === null || value === undefined) return '–';
  return Number.isInteger(value) || value >= 100
    ? String(Math.round(value))
    : value.toFixed(value < 10 ? 2 : 1);
}

/** The time of day, with two digits each. */
const timeOfDay = (at) => new Date(at * 1000).toTimeString().slice(0, 8);

const FORMATS = { s: seconds, '': count, '/s': (value) => (value === null ? '–' : `${count(value)}/s`) };

/** The contents of each chart. */
export const CHARTS = [
  {
    id: 'tokens',
    title: 'Token refresh',
    unit: 's',
    lines: () => [
      { label: 'p50', color: 'c2', value: (f) => f.tokenP50S },
      { label: 'p95', color: 'c3', value: (f) => f.tokenP95S },
      { label: 'p99', color: 'c4', value: (f) => f.tokenP99S },
    ],
  },
  {
    id: 'connections',
    title: 'Connections, and their limit',
    unit: '',
    lines: () => [
      { label: 'limit', color: 'c4', value: (f) => f.limit, dash: true },
      { label: 'used', color: 'c1', value: (f) => f.used, stacked: true },
      { label: 'idle', color: 'c2', value: (f) => f.idle, stacked: true },
      { label: 'connecting', color: 'c3', value: (f) => f.connecting, stacked: true },
    ],
  },
  {
    id: 'waiting',
    title: 'Waiting for a connection',
    unit: '',
    lines: () => [
      { label: 'waiting', color: 'c1', value: (f) => f.pending },
      { label: 'oldest wait', color: 'c3', value: (f) => f.longestWaitS, unit: 's', scale: 'right' },
    ],
  },
  {
    id: 'acquire',
    title: 'Acquire, p99',
    unit: 's',
    lines: () => [{ label: 'p99', color: 'c5', value: (f) => f.acquireP99S }],
  },
  {
    id: 'queries',
    title: 'Queries and errors',
    unit: '/s',
    lines: () => [
      { label: 'queries', color: 'c1', value: (f) => f.queriesPerS },
      { label: 'errors', color: 'c4', value: (f) => f.errorsPerS, scale: 'right' },
    ],
  },
  {
    id: 'churn',
    title: 'Connections opened, and closed by reason',
    unit: '/s',
    lines: (figures) => [
      { label: 'opened', color: 'c2', value: (f) => f.openedPerS },
      ...reasonsIn(figures).map((reason, i) => ({
        label: `closed: ${reason}`,
        color: `c${((i + 2) % 8) + 1}`,
        value: (f) =>
          f.openedPerS === null ? null : (f.closedPerS.find(([name]) => name === reason)?.[1] ?? 0),
      })),
    ],
  },
];

function reasonsIn(figures) {
  return [
    ...new Set(
      figures.flatMap(({ closedPerS }) =>
        closedPerS.filter(([, perS]) => perS > 0).map(([reason]) => reason),
      ),
    ),
  ]
    .sort()
    .slice(0, 16);
}

const HEIGHT = 190;
/** The steps of an axis with whole numbers. */
const WHOLE = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** A chart with a table of its latest values, which is also its text alternative. */
export class Chart {
  #kind;
  #plot;
  #figure = document.createElement('figure');
  #place = document.createElement('div');
  #table = document.createElement('table');
  #labels = '';
  #width = 0;
  #height = HEIGHT;
  #bands = [];

  constructor(kind, parent) {
    this.#kind = kind;
    const caption = document.createElement('figcaption');
    caption.textContent = kind.title;
    caption.id = `${kind.id}-title`;
    this.#figure.id = kind.id;
    this.#figure.setAttribute('aria-labelledby', caption.id);
    this.#place.className = 'chart';
    this.#place.setAttribute('aria-hidden', 'true');
    this.#figure.append(caption, this.#place, this.#table);
    parent.append(this.#figure);
    new ResizeObserver(() => this.#resize()).observe(this.#figure);
  }

  /** Shows these figures, from the oldest to the latest; those further apart than `gapMs` have a gap between them. */
  draw(figures, bands, gapMs) {
    const lines = this.#kind.lines(figures).map((line) => ({ unit: this.#kind.unit, ...line }));
    const labels = [bands.length > 0, ...lines.map(({ label }) => label)].join('\n');
    this.#bands = bands;
    if (this.#plot === undefined || labels !== this.#labels) this.#begin(lines, labels);
    this.#plot.setData(columns(lines, withGaps(figures, gapMs)));
    this.#tell(lines, figures);
  }

  /** Makes the next drawing use the colours of the current scheme. */
  forget() {
    this.#labels = undefined;
  }

  #begin(lines, labels) {
    this.#plot?.destroy();
    this.#labels = labels;
    const named = this.#bands.length > 0;
    this.#height = HEIGHT + (named ? NAMES_HEIGHT : 0);
    const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    const axis = {
      stroke: color('faint'),
      grid: { stroke: color('line'), width: 1 },
      ticks: { show: false },
    };
    const scaleOf = ({ scale }) => scale ?? 'y';
    const right = lines.find(({ scale }) => scale === 'right');
    const range = (_, __, max) => [0, (max || 0) > 0 ? max * 1.1 : 1];
    this.#width = this.#place.clientWidth || 320;
    const lowest = lines.find(({ stacked }) => stacked);
    const tint = (line) => `${color(line.color)}55`;
    // Stacked lines are drawn from the highest to the lowest, so that lower ones are on top.
    this.#plot = new uPlot(
      {
        width: this.#width,
        height: this.#height,
        ...(named ? { padding: [NAMES_HEIGHT, null, null, null] } : {}),
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: true }, y: { range }, right: { range } },
        axes: [
          { ...axis, space: 75, size: 28, values: (_, ticks) => ticks.map(timeOfDay) },
          {
            ...axis,
            ...(this.#kind.unit === '' ? { incrs: WHOLE } : {}),
            size: 62,
            values: (_, ticks) => ticks.map(FORMATS[this.#kind.unit]),
          },
          ...(right
            ? [
                {
                  ...axis,
                  scale: 'right',
                  side: 1,
                  size: 62,
                  grid: { show: false },
                  values: (_, ticks) => ticks.map(FORMATS[right.unit]),
                },
              ]
            : []),
        ],
        series: [
          {},
          ...order(lines).map((line) => ({
            scale: scaleOf(line),
            stroke: color(line.color),
            width: 1.5,
            points: this.#kind.id === 'tokens' ? { size: 4 } : { show: true, filter: lone, size: 4 },
            spanGaps: false,
            ...(line.dash ? { dash: [6, 4] } : {}),
            ...(line === lowest ? { fill: tint(line) } : {}),
          })),
        ],
        // Each on top of the one below.
        bands: order(lines).flatMap((line, i) =>
          line.stacked && line !== lowest ? [{ series: [i + 1, i + 2], fill: tint(line) }] : [],
        ),
        hooks: {
          drawClear: [(plot) => drawBands(plot, this.#bands, { band: color('band'), name: color('faint') })],
        },
      },
      [[]],
      this.#place,
    );
  }

  #tell(lines, figures) {
    const head = row('th', [`${this.#kind.title}: line`, 'now', 'highest']);
    head.firstChild.textContent = '';
    const hidden = document.createElement('span');
    hidden.textContent = 'line';
    head.firstChild.append(hidden);
    const thead = document.createElement('thead');
    thead.append(head);
    const body = document.createElement('tbody');
    for (const line of lines) {
      const format = FORMATS[line.unit];
      const values = figures.map(line.value).filter((value) => value !== null);
      const now = figures.length > 0 ? line.value(figures.at(-1)) : null;
      const tr = row('td', [
        line.label,
        format(now),
        format(values.length > 0 ? values.reduce((a, b) => Math.max(a, b)) : null),
      ]);
      const key = document.createElement('span');
      key.className = 'key';
      key.style.background = `var(--${line.color})`;
      tr.firstChild.prepend(key);
      body.append(tr);
    }
    this.#table.replaceChildren(thead, body);
    this.#table.setAttribute('aria-labelledby', `${this.#kind.id}-title`);
  }

  #resize() {
    const width = this.#place.clientWidth;
    if (this.#plot === undefined || width === this.#width || width === 0) return;
    this.#width = width;
    this.#plot.setSize({ width, height: this.#height });
  }
}

/** A row whose first cell is its header. */
function row(kind, texts) {
  const tr = document.createElement('tr');
  for (const [i, text] of texts.entries()) {
    const cell = document.createElement(i === 0 ? 'th' : kind);
    cell.scope = kind === 'th' ? 'col' : 'row';
    if (i > 0 && kind === 'td') cell.removeAttribute('scope');
    cell.textContent = text;
    tr.append(cell);
  }
  return tr;
}

/** The indexes of readings without one beside them: they get a point, because a line needs two. */
function lone(plot, series) {
  const values = plot.data[series];
  const known = (at) => (values[at] ?? null) !== null;
  return [...values.keys()].filter((at) => known(at) && !known(at - 1) && !known(at + 1));
}

const order = (lines) => [...lines].reverse();

/** The figures, with an empty moment in each gap, so that no line is drawn across it. */
function withGaps(figures, gapMs) {
  return figures.flatMap((each, i) => {
    const before = figures[i - 1];
    return before && each.at - before.at > gapMs ? [{ at: before.at + 1, unknown: true }, each] : [each];
  });
}

/** The data for uPlot: the times, and a column for each line, with stacked ones added up. */
function columns(lines, figures) {
  const stacked = lines.filter((line) => line.stacked);
  const value = (line, f) =>
    line.stacked
      ? stacked.slice(0, stacked.indexOf(line) + 1).reduce((sum, { value }) => sum + value(f), 0)
      : line.value(f);
  const column = (line) => figures.map((f) => (f.unknown ? null : value(line, f)));
  return [figures.map(({ at }) => at / 1000), ...order(lines).map(column)];
}
