import { ERROR_TYPE } from '../../../src/telemetry/names.js';
import { OPERATION_DURATION } from '../foreign-metrics.js';
import { histogram, LABEL, matchesNot, rate } from '../promql.js';

/** The latency objective of the rules in seconds, which is a bucket's boundary. */
export const SLOW_SECONDS = 0.5;

/** The share of queries that may be slower. */
export const SLOW_BUDGET = 0.01;

/** The shares of failed queries at which a panel turns yellow and red. */
export const FAILED_SHARES = { yellow: 0.01, red: 0.05 } as const;

/** Matches failed queries. A query that its caller aborted did not fail. */
export const QUERY_FAILED = matchesNot(LABEL.errorType, `|${ERROR_TYPE.queryAborted}`);

/** The series of all queries. */
export const queries = (part: 'bucket' | 'count' | 'sum', ...matchers: readonly string[]): string =>
  histogram(OPERATION_DURATION, part, ...matchers);

/** Queries per second. */
export const queryRate = (...matchers: readonly string[]): string => rate(queries('count', ...matchers));

/** Sets the operation name as the summary, for the queries of instrumentation-pg, which have no summary. */
export function summarized(series: string): string {
  return `label_replace(${series}, "${LABEL.summary}", "$1", "${LABEL.operation}", "(.+)")`;
}

/** Marks series without a pool's name, for which Grafana would otherwise show the name of the label. */
export function orNoPool(series: string): string {
  return `label_replace(${series}, "${LABEL.pool}", "no pool", "${LABEL.pool}", "")`;
}

export const ABOUT_POOLS =
  'From pgauge with `queryTelemetry`, or from `@opentelemetry/instrumentation-pg`, whose queries have no pool, so that the variable Pool does not apply to them.';
