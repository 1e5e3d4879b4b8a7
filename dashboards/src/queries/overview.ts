import type { Row } from '../board.js';
import { rate, sum, LABEL } from '../promql.js';
import { ABOUT_POOLS, queries } from './measures.js';
import { queriesPerSecond, queryErrorRatio, queryLatency } from './shared-panels.js';

const size = { width: 12, height: 8 } as const;

export const overview: Row = {
  id: 200,
  title: 'Rate, errors, latency',
  panels: [
    queriesPerSecond({ id: 201, ...size }),
    queryErrorRatio({ id: 202, ...size }),
    queryLatency({ id: 203, ...size }),
    {
      type: 'heatmap',
      id: 204,
      title: 'Query durations',
      says: `How long queries took, failures included; darker cells hold more queries. ${ABOUT_POOLS}`,
      todo: 'Two bands: two kinds of query, which the table below tells apart. A rising band: the database slows down, or locks are held longer.',
      unit: 's',
      cellUnit: 'reqps',
      query: { expr: sum(rate(queries('bucket')), LABEL.le) },
      ...size,
    },
  ],
};
