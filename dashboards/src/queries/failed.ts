import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { CANCEL_REASON_COLORS } from '../colors.js';
import { events, increase, LABEL, RATE_WINDOW, series, sum } from '../promql.js';
import { ABOUT_POOLS, queries, QUERY_FAILED } from './measures.js';

const size = { width: 12, height: 8 } as const;

const failures = events(queries('count', QUERY_FAILED), RATE_WINDOW);

const WINDOWS =
  'Each point covers one rate interval, at least four scrapes, so a single query shows in several points.';

export const failed: Row = {
  id: 400,
  title: 'Failures',
  panels: [
    {
      type: 'timeseries',
      id: 401,
      title: 'Errors by SQLSTATE',
      says: `Failed queries, in total and by the server's SQLSTATE, or by error.type if the server did not answer. Aborted queries are in the next panel. ${WINDOWS} ${ABOUT_POOLS}`,
      todo: '23: a violated constraint, often expected by the application. 40P01, 40001: retry. 42: the query itself is wrong, often after a migration. 53, 57, 08: the server. query_timeout: too slow for its limit.',
      unit: 'short',
      axisLabel: 'errors',
      tableLegend: true,
      queries: [
        { expr: `${sum(failures)} or 0 * ${sum(queries('count'))}`, legend: 'all' },
        { expr: sum(failures, LABEL.errorType), legend: `{{${LABEL.errorType}}}` },
      ],
      colors: { all: 'text' },
      ...size,
    },
    {
      type: 'timeseries',
      id: 402,
      title: 'Cancelled by reason',
      says: `Queries that were cancelled while they ran: by a time limit (timeout), or by their caller's signal (aborted). ${WINDOWS}`,
      todo: 'The warning `postgres query canceled` has the summary and the pid. timeout: the query is slow or waits for a lock. aborted: callers gave up, so look at their own deadlines.',
      unit: 'short',
      axisLabel: 'queries',
      queries: [
        {
          expr: sum(increase(series(METRIC.queryCanceled), RATE_WINDOW), LABEL.cancelReason),
          legend: `{{${LABEL.cancelReason}}}`,
        },
      ],
      colors: CANCEL_REASON_COLORS,
      ...size,
    },
  ],
};
