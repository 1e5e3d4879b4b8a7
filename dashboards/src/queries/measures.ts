import { ERROR_TYPE } from '../../../src/telemetry/names.js';
import { OPERATION_DURATION } from '../foreign-metrics.js';
import { histogram, LABEL, matchesNot, rate } from '../promql.js';

/** What the objective of the rules allows, in seconds: a bucket's boundary. */
export const SLOW_SECONDS = 0.5;

/** How much of the queries may be slower. */
export const SLOW_BUDGET = 0.01;

/** Shares of failed queries from which a panel turns yellow and red. */
export const FAILED_SHARES = { yellow: 0.01, red: 0.05 } as const;

/** Queries that failed. A caller that aborts its query did not want the answer, and nothing failed. */
export const QUERY_FAILED = matchesNot(LABEL.errorType, `|${ERROR_TYPE.queryAborted}`);

/** The series of all queries. */
export const queries = (part: 'bucket' | 'count' | 'sum', ...matchers: readonly string[]): string =>
  histogram(OPERATION_DURATION, part, ...matchers);

/** Queries per second, from their series. */
export const queryRate = (...matchers: readonly string[]): string => rate(queries('count', ...matchers));

/** Gives queries without a summary their operation's name for one, which is what instrumentation-pg has. */
export function summarized(series: string): string {
  return `label_replace(${series}, "${LABEL.summary}", "$1", "${LABEL.operation}", "(.+)")`;
}

/** Says where a name of a pool is missing, for which Grafana would write the name of the label. */
export function orNoPool(series: string): string {
  return `label_replace(${series}, "${LABEL.pool}", "no pool", "${LABEL.pool}", "")`;
}

export const ABOUT_POOLS =
  'From pgauge with `queryTelemetry`, or from `@opentelemetry/instrumentation-pg`, whose queries have no pool, so that the variable Pool does not apply to them.';
