import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { events, histogram, LABEL, quantile, RANGE_SECONDS, ratio, sum, WHOLE_RANGE } from '../promql.js';
import {
  ABOUT_POOLS,
  FAILED_SHARES,
  orNoPool,
  queries,
  QUERY_FAILED,
  SLOW_SECONDS,
  summarized,
} from './measures.js';

const by = [LABEL.summary, LABEL.pool, LABEL.job] as const;

/** Events within the range, so that a query that is sent once a day is in the table on that day. */
const inRange = (part: 'bucket' | 'count' | 'sum', ...matchers: string[]): string =>
  orNoPool(summarized(events(queries(part, ...matchers), WHOLE_RANGE)));
const calls = sum(inRange('count'), ...by);
const time = sum(events(queries('sum'), WHOLE_RANGE));
const rows = (part: 'count' | 'sum'): string =>
  sum(events(histogram(METRIC.returnedRows, part), WHOLE_RANGE), ...by);

export const summaries: Row = {
  id: 300,
  title: 'Which query?',
  panels: [
    {
      type: 'table',
      id: 301,
      title: 'Queries by summary',
      says: `Like pg_stat_statements, but seen from the client and for each pool: the queries of the time range by their summary, with the most time-consuming first. \`_OTHER\` are queries beyond the 500 summaries of a pool. Rows are counted with \`rows: true\`. The summary of instrumentation-pg is the first word of the query. ${ABOUT_POOLS}`,
      todo: 'A large share of time with many calls: send the query less often, or cache its result. A large share of time with a high p99: look at its plan with EXPLAIN. Many rows per call: select fewer.',
      unit: 'short',
      keys: [
        { label: LABEL.summary, title: 'Query', width: 480 },
        { label: LABEL.pool, title: 'Pool' },
        { label: LABEL.job, title: 'Job' },
      ],
      columns: [
        {
          title: 'Share of time',
          expr: `${sum(inRange('sum'), ...by)} / on () group_left () (${time} > 0)`,
          unit: 'percentunit',
          decimals: 1,
        },
        { title: 'Calls', expr: `${calls} / ${RANGE_SECONDS}`, unit: 'reqps', decimals: 2 },
        {
          title: 'p99',
          expr: quantile(0.99, inRange('bucket'), ...by),
          unit: 's',
          decimals: 1,
          thresholds: [
            [null, 'text'],
            [SLOW_SECONDS, 'orange'],
            [5, 'red'],
          ],
        },
        {
          title: 'Failed',
          expr: ratio(sum(inRange('count', QUERY_FAILED), ...by), calls),
          unit: 'percentunit',
          decimals: 1,
          thresholds: [
            [null, 'text'],
            [FAILED_SHARES.yellow, 'orange'],
            [FAILED_SHARES.red, 'red'],
          ],
        },
        {
          title: 'Rows per call',
          expr: `${rows('sum')} / (${rows('count')} > 0)`,
          unit: 'short',
          decimals: 1,
        },
      ],
      sortBy: 'Share of time',
      width: 24,
      height: 14,
    },
  ],
};
