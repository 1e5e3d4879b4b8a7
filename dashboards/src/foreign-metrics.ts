import { ATTR_DB_OPERATION_NAME } from '@opentelemetry/semantic-conventions';
import { ATTR, METRIC } from '../../src/telemetry/names.js';
import type { MetricShape } from './prometheus-name.js';

/** What `@opentelemetry/instrumentation-pg` has in the place of a summary. */
export const OPERATION_NAME = ATTR_DB_OPERATION_NAME;

/** The histogram of queries: from pgauge, or from `@opentelemetry/instrumentation-pg`, which knows no pools. */
export const OPERATION_DURATION = {
  ...METRIC.operationDuration,
  attributes: [...METRIC.operationDuration.attributes, OPERATION_NAME],
  poolOptional: true,
} as const satisfies MetricShape;

/** What the names of the query spans of `@opentelemetry/instrumentation-pg` begin with. */
export const QUERY_SPAN_PREFIX = 'pg.query';

/** Attributes of the span_metrics connector that no convention names. */
export const SPAN_ATTR = { name: 'span.name', kind: 'span.kind', statusCode: 'status.code' } as const;

/**
 * The histogram of the collector's `span_metrics` connector with its default namespace, the unit `s` and
 * `add_resource_attributes`, without which there is neither `job` nor `instance`. The pool's name is a dimension of it;
 * only spans of pgauge that carry it have it.
 */
export const SPAN_DURATION = {
  name: 'traces.span.metrics.duration',
  instrument: 'Histogram',
  unit: 's',
  attributes: [SPAN_ATTR.name, SPAN_ATTR.kind, SPAN_ATTR.statusCode, ATTR.poolName],
} as const satisfies MetricShape;
