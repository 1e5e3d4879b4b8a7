import { ATTR, METRIC } from '../../src/telemetry/names.js';
import { OPERATION_NAME } from './foreign-metrics.js';
import { prometheusLabel, prometheusName, type MetricShape } from './prometheus-name.js';

/** Labels that queries match or group by. */
export const LABEL = {
  job: 'job',
  instance: 'instance',
  le: 'le',
  pool: prometheusLabel(ATTR.poolName),
  state: prometheusLabel(ATTR.connectionState),
  errorType: prometheusLabel(ATTR.errorType),
  closeReason: prometheusLabel(ATTR.closeReason),
  provider: prometheusLabel(ATTR.authProviderName),
  summary: prometheusLabel(ATTR.dbQuerySummary),
  operation: prometheusLabel(OPERATION_NAME),
  cancelReason: prometheusLabel(ATTR.queryCancelReason),
  serverAddress: prometheusLabel(ATTR.serverAddress),
  serverPort: prometheusLabel(ATTR.serverPort),
} as const;

/** The labels that identify one pool of one process. */
export const POOL = [LABEL.job, LABEL.instance, LABEL.pool] as const;

/** Grafana's window for rates: at least four scrapes, and at least the step. */
export const RATE_WINDOW = '$__rate_interval';
/** The whole time range of the dashboard. */
export const WHOLE_RANGE = '$__range';
/** The whole time range in seconds, as a divisor. */
export const RANGE_SECONDS = '$__range_s';

type Histogram = MetricShape & { readonly instrument: 'Histogram' };
type Plain = MetricShape & { readonly instrument: `Observable${string}` };

const SELECTION = [`${LABEL.job}=~"$job"`, `${LABEL.instance}=~"$instance"`];

/** The selected series of a metric; the variable `pool` applies where the metric has the label. */
export function series(metric: Plain, ...matchers: readonly string[]): string {
  return `${prometheusName(metric)}{${selection(metric, matchers)}}`;
}

/** The same of a histogram. */
export function histogram(
  metric: Histogram,
  part: 'bucket' | 'count' | 'sum',
  ...matchers: readonly string[]
): string {
  return `${prometheusName(metric)}_${part}{${selection(metric, matchers)}}`;
}

/** The series of all instances, regardless of the selection. */
export function wholeFleet(metric: Plain): string {
  return prometheusName(metric);
}

/** The same of a histogram. */
export function wholeFleetCount(metric: Histogram, ...matchers: readonly string[]): string {
  return `${prometheusName(metric)}_count${matchers.length > 0 ? `{${matchers.join(', ')}}` : ''}`;
}

/** A matcher for one value; the empty value matches series without the label. */
export const is = (label: string, value: string): string => `${label}="${value}"`;
/** A matcher for all values but one. */
export const isNot = (label: string, value: string): string => `${label}!="${value}"`;
/** A matcher for values that match an RE2 pattern as a whole. */
export const matches = (label: string, pattern: string): string => `${label}=~"${pattern}"`;
/** A matcher for values that do not match an RE2 pattern as a whole. */
export const matchesNot = (label: string, pattern: string): string => `${label}!~"${pattern}"`;

/** Matches what succeeded: no error type. */
export const SUCCEEDED = is(LABEL.errorType, '');
/** Matches what failed: any error type. */
export const FAILED = isNot(LABEL.errorType, '');

export function sum(expr: string, ...by: readonly string[]): string {
  return aggregate('sum', expr, by);
}

export function max(expr: string, ...by: readonly string[]): string {
  return aggregate('max', expr, by);
}

export function min(expr: string, ...by: readonly string[]): string {
  return aggregate('min', expr, by);
}

/**
 * The same values with the provider of their pool, if it has one; `topk`, because a restart may leave two info series
 * for a while, and that of an ended pool is 0.
 */
export function withProvider(perPool: string): string {
  const on = POOL.join(', ');
  const info = `topk by (${on}) (1, ${series(METRIC.poolInfo)})`;
  return `${perPool} + on (${on}) group_left (${LABEL.provider}) 0 * ${info}`;
}

export const rate = (selector: string): string => `rate(${selector}[${RATE_WINDOW}])`;

export const increase = (selector: string, window: string): string => `increase(${selector}[${window}])`;

/**
 * How many times a rare event happened within a window. `increase` alone ignores the first value of a series, and a
 * histogram's series begins with its first event: if the series did not exist in the window before, its value is used
 * as it is. A Prometheus that starts to scrape an old process counts its earlier events once.
 */
export function events(selector: string, window: string): string {
  return `((${selector} unless last_over_time(${selector}[${window}] offset ${window})) or ${increase(selector, window)})`;
}

/** A quantile of bucket rates or increases; no value, instead of NaN, without samples. */
export function quantile(q: number, buckets: string, ...by: readonly string[]): string {
  return `histogram_quantile(${q}, ${sum(buckets, LABEL.le, ...by)}) >= 0`;
}

/** A part of a whole: 0 without the part, no value without the whole. */
export function ratio(part: string, whole: string): string {
  return `(${part} or 0 * ${whole}) / (${whole} > 0)`;
}

function aggregate(operator: string, expr: string, by: readonly string[]): string {
  return by.length > 0 ? `${operator} by (${by.join(', ')}) (${expr})` : `${operator}(${expr})`;
}

/** Series without a pool's name belong to no pool, so every selection of pools includes them. */
function selection({ attributes, poolOptional }: MetricShape, matchers: readonly string[]): string {
  const pool = attributes.includes(ATTR.poolName)
    ? [matches(LABEL.pool, poolOptional === true ? '$pool|' : '$pool')]
    : [];
  return [...SELECTION, ...pool, ...matchers].join(', ');
}
