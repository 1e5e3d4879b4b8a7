import { slowQueries } from '../alerts.js';
import type { Row } from '../board.js';
import { LABEL } from '../promql.js';
import { ABOUT_POOLS, orNoPool, SLOW_BUDGET } from './measures.js';
import { timeShare } from './shared-panels.js';

const size = { width: 12, height: 8 } as const;

export const waiting: Row = {
  id: 500,
  title: 'Waiting',
  panels: [
    timeShare({ id: 501, ...size }),
    {
      type: 'timeseries',
      id: 502,
      title: 'Slow queries',
      says: `Share of queries that took longer than 500 ms, as recorded by the rules for the preceding five minutes, over all instances. The objective is 99 % within 500 ms, so the first line is at 1 %. No data: Prometheus has not loaded the rules, or there were no queries. ${ABOUT_POOLS}`,
      todo: 'Above the first line, the error budget is being consumed; the alert fires at six and at 14.4 times it, at the other lines. Look for the query in the table above.',
      unit: 'percentunit',
      queries: [{ expr: orNoPool(slowQueries('5m')), legend: `{{${LABEL.job}}} {{${LABEL.pool}}}` }],
      softMax: 2 * SLOW_BUDGET,
      thresholds: [
        [null, 'green'],
        [SLOW_BUDGET, 'yellow'],
        [6 * SLOW_BUDGET, 'orange'],
        [14.4 * SLOW_BUDGET, 'red'],
      ],
      ...size,
    },
  ],
};
