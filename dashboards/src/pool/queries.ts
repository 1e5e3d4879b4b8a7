import { ATTR, SPAN } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { OPERATION_DURATION, QUERY_SPAN_PREFIX, SPAN_ATTR, SPAN_DURATION } from '../foreign-metrics.js';
import { quantiles } from '../measures.js';
import { FAILED, histogram, LABEL, matches, quantile, rate, ratio, sum } from '../promql.js';
import { prometheusLabel } from '../prometheus-name.js';

const size = { width: 12, height: 8 } as const;

const perInstance = [LABEL.job, LABEL.instance] as const;
const all = sum(rate(histogram(OPERATION_DURATION, 'count')), ...perInstance);
const failed = sum(rate(histogram(OPERATION_DURATION, 'count', FAILED)), ...perInstance);

const spanName = prometheusLabel(SPAN_ATTR.name);
/** A dot in brackets needs no escape, which PromQL and Grafana would each read in their own way. */
const literally = (name: string): string => name.replaceAll('.', '[.]');
const poolSpans = [`${SPAN.connect} .*`, literally(SPAN.acquire)].join('|');
const querySpans = `${literally(QUERY_SPAN_PREFIX)}.*`;

const slowest = (selector: string): string => quantile(0.99, rate(selector), spanName);
/** Query spans have no pool's name, so they are selected without one. */
const withoutPool = {
  ...SPAN_DURATION,
  attributes: SPAN_DURATION.attributes.filter((name) => name !== ATTR.poolName),
};

const fromInstrumentation =
  'It comes from `@opentelemetry/instrumentation-pg`, which knows no pools: the variable Pool does not apply.';

export const queries: Row = {
  id: 500,
  title: 'Queries',
  collapsed: true,
  panels: [
    {
      type: 'timeseries',
      id: 501,
      title: 'Queries per second',
      says: `Queries by instance. ${fromInstrumentation}`,
      todo: 'Read it beside utilization: more queries and more used connections is load; fewer queries and more used connections is something slow.',
      unit: 'reqps',
      queries: [{ expr: all, legend: `{{${LABEL.instance}}}` }],
      ...size,
    },
    {
      type: 'timeseries',
      id: 502,
      title: 'Query error ratio',
      says: `Share of queries that failed, by instance; 0 where none did, no data where there were no queries. ${fromInstrumentation}`,
      todo: 'Open a failed query span: its error.type is the SQLSTATE. Class 57 and 08 are restarts, 40 asks for a retry, 42 is a fault of the application.',
      unit: 'percentunit',
      max: 1,
      queries: [{ expr: ratio(failed, all), legend: `{{${LABEL.instance}}}` }],
      thresholds: [
        [null, 'green'],
        [0.01, 'yellow'],
        [0.05, 'red'],
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 503,
      title: 'Query latency p50, p95, p99',
      says: `Time from sending a query to its end, without the wait for a connection. ${fromInstrumentation}`,
      todo: 'If it rises with the hold time, the database or its locks are slow: look there. If only the hold time rises, look at the application.',
      unit: 's',
      ...quantiles(rate(histogram(OPERATION_DURATION, 'bucket'))),
      ...size,
    },
    {
      type: 'timeseries',
      id: 504,
      title: 'Span latency p99',
      says: 'The slowest of a hundred spans by name: waiting acquires, connects and queries. The dots are exemplars, single traces. Pool applies to acquires and connects, for query spans do not carry it. No data: the collector has no span_metrics connector.',
      todo: 'Click a dot near the top and open its trace: it shows what that request waited for.',
      unit: 's',
      queries: [
        {
          expr: slowest(histogram(SPAN_DURATION, 'bucket', matches(spanName, poolSpans))),
          legend: `{{${spanName}}}`,
          exemplar: true,
        },
        {
          expr: slowest(histogram(withoutPool, 'bucket', matches(spanName, querySpans))),
          legend: `{{${spanName}}}`,
          exemplar: true,
        },
      ],
      ...size,
    },
  ],
};
