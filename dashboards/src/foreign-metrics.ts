import {
  ATTR_DB_NAMESPACE,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  METRIC_DB_CLIENT_OPERATION_DURATION,
} from '@opentelemetry/semantic-conventions';
import { ATTR } from '../../src/telemetry/names.js';
import type { MetricShape } from './prometheus-name.js';

/** The histogram of `@opentelemetry/instrumentation-pg`; it knows nothing of pools. */
export const OPERATION_DURATION = {
  name: METRIC_DB_CLIENT_OPERATION_DURATION,
  instrument: 'Histogram',
  unit: 's',
  attributes: [
    ATTR_DB_SYSTEM_NAME,
    ATTR_DB_NAMESPACE,
    ATTR_DB_OPERATION_NAME,
    ATTR_ERROR_TYPE,
    ATTR_SERVER_ADDRESS,
    ATTR_SERVER_PORT,
  ],
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
