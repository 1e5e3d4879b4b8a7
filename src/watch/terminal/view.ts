import { ForeignText } from '../../cli/foreign-text.js';
import type { Figures } from '../figures.js';
import { WINDOW_MS, type State } from '../history.js';
import { formatCount, formatRate, formatSeconds, pairsLine, plainMs } from './format.js';
import { bar, crop, row, states } from './rows.js';
import type { Style } from './style.js';
import { lateTable, type PoolFigures } from './table.js';

/** The contents of the view at one moment. */
export interface View {
  readonly title: string;
  readonly state: State;
  readonly figures: Figures;
  readonly pools: readonly PoolFigures[];
  readonly pageUrl: string;
}

const MAX_WIDTH = 120;
const TIME = 8;
const foreign = new ForeignText();

/** The lines of the live view, none longer than `width`. */
export function viewLines(
  { title, state, figures, pools, pageUrl }: View,
  width: number,
  style: Style,
): string[] {
  const wide = Math.min(width, MAX_WIDTH);
  const cut = (text: string): string => crop(text, wide);
  const time = (name: string, seconds: number | null): string =>
    `${name} ${formatSeconds(seconds).padStart(TIME)}`;
  return [
    style.bold(cut(`pgauge watch   ${title}`)),
    state.live ? style.green(cut(state.text)) : style.red(cut(state.text)),
    '',
    cut(
      row(
        'token refresh',
        time('p50', figures.tokenP50S),
        time('p95', figures.tokenP95S),
        time('p99', figures.tokenP99S),
        `of ${formatCount(figures.tokenRefreshes)}`,
      ),
    ),
    cut(row('acquire', time('p99', figures.acquireP99S))),
    cut(row('connections', states(figures))),
    cut(row('', `[${bar(figures)}]  limit ${figures.limit}`)),
    cut(
      row('waiting', formatCount(figures.pending), `oldest ${formatSeconds(figures.longestWaitS || null)}`),
    ),
    cut(row('queries', formatRate(figures.queriesPerS), `errors ${formatRate(figures.errorsPerS)}`)),
    cut(row('opened', formatRate(figures.openedPerS))),
    cut(row('closed', closed(figures))),
    '',
    ...(pools.length > 1 ? [...lateTable(pools).map((line) => cut(`  ${line}`)), ''] : []),
    style.dim(cut(`Rates and times are those of the last ${WINDOW_MS / 1_000} s. ${pageUrl}   Ctrl-C ends`)),
  ];
}

/** The same as `key=value` pairs, for pipes and logs. */
export function plainLine(figures: Figures): string {
  const rate = (perS: number | null): string => (perS === null ? '-' : perS.toFixed(1));
  return pairsLine({
    at: new Date(figures.at).toISOString(),
    pools: figures.pools,
    token_refresh_p50_ms: plainMs(figures.tokenP50S),
    token_refresh_p95_ms: plainMs(figures.tokenP95S),
    token_refresh_p99_ms: plainMs(figures.tokenP99S),
    used: figures.used,
    idle: figures.idle,
    connecting: figures.connecting,
    limit: figures.limit,
    pending: figures.pending,
    oldest_wait_ms: plainMs(figures.longestWaitS),
    acquire_p99_ms: plainMs(figures.acquireP99S),
    queries_per_s: rate(figures.queriesPerS),
    errors_per_s: rate(figures.errorsPerS),
    opened_per_s: rate(figures.openedPerS),
    closed_per_s: rate(
      figures.openedPerS === null ? null : figures.closedPerS.reduce((all, [, perS]) => all + perS, 0),
    ),
  });
}

function closed({ closedPerS, openedPerS }: Figures): string {
  const some = closedPerS.filter(([, perS]) => perS > 0);
  if (some.length === 0) return formatRate(openedPerS === null ? null : 0);
  return some.map(([reason, perS]) => `${foreign.clean(reason)} ${formatRate(perS)}`).join(', ');
}
