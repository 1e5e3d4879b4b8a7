import { ForeignText } from '../../cli/foreign-text.js';
import { figuresOf, totalsOf, type Figures, type Totals } from '../figures.js';
import { openPools, type PoolReading, type Reading } from '../reading.js';
import { formatCount, formatRate, formatSeconds } from './format.js';

/** A pool and its figures. */
export interface PoolFigures {
  readonly pool: PoolReading;
  readonly figures: Figures;
}

type Column<Row> = readonly [title: string, cell: (row: Row) => string];

const foreign = new ForeignText();

const STATE: readonly Column<PoolFigures>[] = [
  ['pool', ({ pool }) => foreign.clean(pool.pool)],
  ['instance', ({ pool }) => foreign.clean(pool.instance)],
  ['used', ({ pool }) => formatCount(pool.used)],
  ['idle', ({ pool }) => formatCount(pool.idle)],
  ['connecting', ({ pool }) => formatCount(pool.connecting)],
  ['limit', ({ pool }) => formatCount(pool.limit)],
  ['waiting', ({ pool }) => formatCount(pool.pending)],
  ['oldest', ({ pool }) => formatSeconds(pool.longestWaitS || null)],
  ['acquire p99', ({ figures }) => formatSeconds(figures.acquireP99S)],
  ['token p99', ({ figures }) => formatSeconds(figures.tokenP99S)],
];
const RATES: readonly Column<PoolFigures>[] = [['queries', ({ figures }) => formatRate(figures.queriesPerS)]];
const TOTALS: readonly Column<{ totals: Totals }>[] = [
  ['opened', ({ totals }) => formatCount(totals.opened)],
  ['queries', ({ totals }) => formatCount(totals.queries)],
  ['errors', ({ totals }) => formatCount(totals.queryErrors)],
];
const TEXTS = 2;

/** One reading as a table: a row for each pool, with its times and totals since the process began. */
export function readingTable(reading: Reading): string[] {
  const rows = openPools(reading).map((pool) => {
    const figures = figuresOf(reading, undefined, pool);
    return { pool, figures, totals: totalsOf(reading, pool) };
  });
  return table([...STATE, ...TOTALS], rows);
}

/** The same with recent rates and times. */
export function lateTable(rows: readonly PoolFigures[]): string[] {
  return table([...STATE, ...RATES], rows);
}

function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [
    columns.map(([title]) => title),
    ...rows.map((each) => columns.map(([, cell]) => cell(each))),
  ];
  // A process that exports its own metrics does not name itself.
  const shown = columns.map(
    ([title], at) => title !== 'instance' || cells.slice(1).some((line) => line[at] !== ''),
  );
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  return cells.map((line) =>
    line
      .map((cell, at) => (at < TEXTS ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .filter((_, at) => shown[at])
      .join('  ')
      .trimEnd(),
  );
}
