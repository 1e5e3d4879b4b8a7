import { ATTR, SPAN } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { QUERY_SPAN_PREFIX, SPAN_ATTR, SPAN_DURATION } from '../foreign-metrics.js';
import { histogram, matches, matchesNot, quantile, rate } from '../promql.js';
import { prometheusLabel } from '../prometheus-name.js';
import { queriesPerSecond, queryErrorRatio, queryLatency, timeShare } from '../queries/shared-panels.js';

const size = { width: 12, height: 8 } as const;

const spanName = prometheusLabel(SPAN_ATTR.name);
/** A dot in brackets needs no backslash, which PromQL and Grafana would interpret differently. */
const literally = (name: string): string => name.replaceAll('.', '[.]');
const poolSpans = [`${SPAN.connect} .*`, literally(SPAN.acquire)].join('|');
const foreignQuerySpans = `${literally(QUERY_SPAN_PREFIX)}.*`;

const slowest = (selector: string, ...by: readonly string[]): string => quantile(0.99, rate(selector), ...by);
/** Query spans of instrumentation-pg have no pool name, so they are selected without one. */
const withoutPool = {
  ...SPAN_DURATION,
  attributes: SPAN_DURATION.attributes.filter((name) => name !== ATTR.poolName),
};

export const queries: Row = {
  id: 500,
  title: 'Queries',
  collapsed: true,
  panels: [
    queriesPerSecond({ id: 501, ...size }),
    queryErrorRatio({ id: 502, ...size }),
    queryLatency({ id: 503, ...size }),
    timeShare({ id: 505, ...size }),
    {
      type: 'timeseries',
      id: 504,
      title: 'Span latency p99',
      says: 'The 99th percentile of span durations: waiting acquires, connects, all queries of pgauge together, and those of instrumentation-pg by name, to which the variable Pool does not apply. The dots are exemplars: single traces. No data: the collector has no span_metrics connector.',
      todo: 'Click a dot near the top and open its trace to see what that request waited for.',
      unit: 's',
      queries: [
        {
          expr: slowest(histogram(SPAN_DURATION, 'bucket', matches(spanName, poolSpans)), spanName),
          legend: `{{${spanName}}}`,
          exemplar: true,
        },
        {
          // All other spans with the pool's name are queries, named by their summary.
          expr: slowest(histogram(SPAN_DURATION, 'bucket', matchesNot(spanName, poolSpans))),
          legend: 'queries',
          exemplar: true,
        },
        {
          expr: slowest(histogram(withoutPool, 'bucket', matches(spanName, foreignQuerySpans)), spanName),
          legend: `{{${spanName}}}`,
          exemplar: true,
        },
      ],
      width: 24,
      height: 8,
    },
  ],
};
