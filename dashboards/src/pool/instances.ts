import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { histogram, increase, is, LABEL, POOL, quantile, series, sum, WHOLE_RANGE } from '../promql.js';
import { UID } from '../selection.js';

const count = (state: string): string => sum(series(METRIC.connectionCount, is(LABEL.state, state)), ...POOL);

/** A link to the same time range and selection, but a single instance. */
const toInstance = (uid: string): string =>
  `/d/${uid}?\${__url_time_range}&\${datasource:queryparam}&\${job:queryparam}&\${pool:queryparam}&var-instance=\${__value.raw}`;

export const instances: Row = {
  id: 600,
  title: 'Instances',
  panels: [
    {
      type: 'table',
      id: 601,
      title: 'Instances',
      says: 'Every pool of every instance at the end of the time range; the p99 is that of acquires within the range. A pool that has ended has the limit 0 until its process exits.',
      todo: 'Sort by waiting or p99 to find the instance with the problem, and click its name to select it.',
      unit: 'short',
      keys: [
        { label: LABEL.job, title: 'Job' },
        {
          label: LABEL.instance,
          title: 'Instance',
          links: [
            { title: 'This instance alone', url: toInstance(UID.pool) },
            { title: 'Queries of this instance', url: toInstance(UID.queries) },
            { title: 'Token refresh of this instance', url: toInstance(UID.auth) },
          ],
        },
        { label: LABEL.pool, title: 'Pool' },
      ],
      columns: [
        { title: 'Used', expr: count('used'), unit: 'short' },
        { title: 'Idle', expr: count('idle'), unit: 'short' },
        { title: 'Limit', expr: sum(series(METRIC.connectionLimit), ...POOL), unit: 'short' },
        {
          title: 'Waiting',
          expr: sum(series(METRIC.pendingRequests), ...POOL),
          unit: 'short',
          thresholds: [
            [null, 'text'],
            [1, 'orange'],
          ],
        },
        {
          title: 'Acquire p99',
          expr: quantile(0.99, increase(histogram(METRIC.waitTime, 'bucket'), WHOLE_RANGE), ...POOL),
          unit: 's',
          decimals: 1,
          thresholds: [
            [null, 'text'],
            [0.1, 'orange'],
            [1, 'red'],
          ],
        },
      ],
      width: 24,
      height: 6,
    },
  ],
};
