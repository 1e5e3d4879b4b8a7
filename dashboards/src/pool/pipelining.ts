import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { is, LABEL, POOL, series, sum } from '../promql.js';

const size = { width: 12, height: 8 } as const;
const perPool = `{{${LABEL.instance}}} {{${LABEL.pool}}}`;

const pipelined = sum(series(METRIC.pipelined), ...POOL);
const used = sum(series(METRIC.connectionCount, is(LABEL.state, 'used')), ...POOL);

export const pipelining: Row = {
  id: 700,
  title: 'Pipelining',
  collapsed: true,
  panels: [
    {
      type: 'timeseries',
      id: 701,
      title: 'Pipelined queries',
      says: 'Queries in flight beyond one for each connection, by pool. No data: no pool of the selection has the option `pipelining`.',
      todo: 'Always 0 while requests wait: they need connections of their own, like transactions, cursors and texts without values. Always above 0: a larger pool would run these queries in parallel, if the database has capacity.',
      unit: 'short',
      axisLabel: 'queries',
      softMax: 1,
      queries: [{ expr: pipelined, legend: perPool }],
      ...size,
    },
    {
      type: 'timeseries',
      id: 702,
      title: 'Queries on a used connection',
      says: 'Average number of queries in flight on a used connection of a pool: 1 while none are shared. No data: no connection was used at that moment, or the pool has no `pipelining`.',
      todo: 'Near `depth`: new queries wait for a connection again. A query waits for all queries ahead of it on its connection, so look for a slow one under Queries, and give slow queries their own pool.',
      unit: 'short',
      axisLabel: 'queries',
      softMax: 2,
      queries: [{ expr: `1 + ${pipelined} / (${used} > 0)`, legend: perPool }],
      ...size,
    },
  ],
};
