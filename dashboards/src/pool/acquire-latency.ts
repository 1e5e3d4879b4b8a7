import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { quantiles } from '../measures.js';
import { histogram, is, LABEL, rate, ratio, SUCCEEDED, sum } from '../promql.js';

const size = { width: 12, height: 8 } as const;

/** The latency objective in seconds, which is a bucket's boundary. */
const SLOW_SECONDS = 0.1;

const byPool = [LABEL.job, LABEL.pool] as const;
const all = sum(rate(histogram(METRIC.waitTime, 'count')), ...byPool);
const fast = sum(
  rate(histogram(METRIC.waitTime, 'bucket', is(LABEL.le, String(SLOW_SECONDS)), SUCCEEDED)),
  ...byPool,
);

export const acquireLatency: Row = {
  id: 300,
  title: 'Acquire latency',
  panels: [
    {
      type: 'heatmap',
      id: 301,
      title: 'Wait time',
      says: 'How long acquires took, from the call to the connection or the failure; darker cells hold more acquires. The lowest band is acquires that got an idle connection.',
      todo: 'A second band at the height of the connect time: connections are opened on demand, so set `minConns`. A rising band: requests queue, see Saturation.',
      unit: 's',
      cellUnit: 'reqps',
      query: { expr: sum(rate(histogram(METRIC.waitTime, 'bucket')), LABEL.le) },
      ...size,
    },
    {
      type: 'timeseries',
      id: 302,
      title: 'Wait time p50, p95, p99',
      says: 'Quantiles of the wait time, failed acquires included.',
      todo: 'A high p50: the pool is too small. Only the p99: bursts; compare it with the connect time.',
      unit: 's',
      ...quantiles(rate(histogram(METRIC.waitTime, 'bucket'))),
      thresholds: [
        [null, 'green'],
        [SLOW_SECONDS, 'yellow'],
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 303,
      title: 'Slow acquires',
      says: 'Share of acquires that took more than 100 ms or failed. The objective is 99.9 % within 100 ms, so the line is at 0.1 %. No data: there were no acquires.',
      todo: 'Above the line, the error budget is being consumed; the alerts fire at six and at fourteen times the line. Look at timeouts and connect errors first, then at the queue.',
      unit: 'percentunit',
      queries: [{ expr: `1 - ${ratio(fast, all)}`, legend: `{{${LABEL.job}}} {{${LABEL.pool}}}` }],
      softMax: 0.002,
      thresholds: [
        [null, 'green'],
        [0.001, 'red'],
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 304,
      title: 'Hold time p50, p95, p99',
      says: 'How long connections are held, from hand-over to release.',
      todo: 'Much longer than the query latency below: the application does other work while it holds a connection. Move that work out of the transaction.',
      unit: 's',
      ...quantiles(rate(histogram(METRIC.useTime, 'bucket'))),
      ...size,
    },
  ],
};
