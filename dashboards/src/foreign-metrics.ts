import { ATTR_DB_OPERATION_NAME } from '@opentelemetry/semantic-conventions';
import { ATTR, METRIC } from '../../src/telemetry/names.js';
import type { MetricShape } from './prometheus-name.js';

/** The attribute that `@opentelemetry/instrumentation-pg` has instead of a summary. */
export const OPERATION_NAME = ATTR_DB_OPERATION_NAME;

/** The histogram of queries: from pgauge, or from `@opentelemetry/instrumentation-pg`, which does not name the pool. */
export const OPERATION_DURATION = {
  ...METRIC.operationDuration,
  attributes: [...METRIC.operationDuration.attributes, OPERATION_NAME],
  poolOptional: true,
} as const satisfies MetricShape;

/** The prefix of the query span names of `@opentelemetry/instrumentation-pg`. */
export const QUERY_SPAN_PREFIX = 'pg.query';

/** Attributes of the span_metrics connector that are not in the semantic conventions. */
export const SPAN_ATTR = { name: 'span.name', kind: 'span.kind', statusCode: 'status.code' } as const;

/**
 * The histogram of the collector's `span_metrics` connector with its default namespace, the unit `s` and
 * `add_resource_attributes`, which is needed for `job` and `instance`. The pool's name is one of its dimensions; only
 * those spans of pgauge that have the attribute have it.
 */
export const SPAN_DURATION = {
  name: 'traces.span.metrics.duration',
  instrument: 'Histogram',
  unit: 's',
  attributes: [SPAN_ATTR.name, SPAN_ATTR.kind, SPAN_ATTR.statusCode, ATTR.poolName],
} as const satisfies MetricShape;
