import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MAX_SUMMARIES } from '../../../src/telemetry/queries/summaries.js';
import { MAX_ERROR_TYPES } from '../../../src/telemetry/error-type.js';
import { ATTR, CONNECTION_STATES, METRIC } from '../../../src/telemetry/names.js';
import { CANCEL_REASONS, CLOSE_REASONS, SESSION_HOOKS } from '../../../src/observer.js';
import { ROOT } from './rule-files.js';

type Metric = (typeof METRIC)[keyof typeof METRIC];

const PAGE = readFileSync(`${ROOT}docs/operations.md`, 'utf8').replaceAll(/\s+/g, ' ');
const METRICS: readonly Metric[] = Object.values(METRIC);

/** The number of series of one metric of one pool or process, without those of failures. */
function seriesOf(metric: Metric): number {
  // Plus the bucket `+Inf`, sum and count.
  if ('buckets' in metric) return metric.buckets.length + 3;
  const attributes: readonly string[] = metric.attributes;
  if (attributes.includes(ATTR.connectionState)) return CONNECTION_STATES.length;
  if (attributes.includes(ATTR.queryCancelReason)) return CANCEL_REASONS.length;
  return attributes.includes(ATTR.closeReason) ? CLOSE_REASONS.length : 1;
}

function total(metrics: readonly Metric[]): number {
  return metrics.reduce((sum, metric) => sum + seriesOf(metric), 0);
}

const has = (metric: Metric, attribute: string) =>
  (metric.attributes as readonly string[]).includes(attribute);
const ofPool = METRICS.filter((metric) => has(metric, ATTR.poolName));
const ofProcess = METRICS.filter((metric) => !has(metric, ATTR.poolName));
const ofQueries: readonly Metric[] = [METRIC.operationDuration, METRIC.returnedRows];
const optional: readonly Metric[] = [
  ...ofQueries,
  METRIC.connectionIdleMin,
  METRIC.hostConnections,
  METRIC.pipelined,
  METRIC.tokenRefreshDuration,
  METRIC.sessionHookDuration,
];
const always = ofPool.filter((metric) => !optional.includes(metric));

it('the number of series in the guide matches the metrics', () => {
  const observed = total(always.filter((metric) => !('buckets' in metric)));
  const plain = total(always);
  const iam = plain + seriesOf(METRIC.tokenRefreshDuration);
  const process = total(ofProcess);
  expect(PAGE).toContain(`| ${observed}, and 1 more with \`minConns\` |`);
  expect(PAGE).toContain(`**${plain}** (${plain + 1} with \`minConns\`)`);
  expect(PAGE).toContain(`**${iam}** (${iam + 1} with \`minConns\`)`);
  expect(PAGE).toContain(`| each of several \`hosts\` | ${seriesOf(METRIC.hostConnections)} more |`);
  expect(PAGE).toContain(`with IAM ${process} for each process`);
  const fleet = 50 * (iam + 1 + process);
  expect(PAGE).toContain(`50 × (${iam + 1} + ${process}) = ${spaced(fleet)} series`);
});

it('the limit of series for failures is as in the guide', () => {
  const failing = ofPool.filter((metric) => has(metric, ATTR.errorType) && !ofQueries.includes(metric));
  const perType = new Set(failing.map(seriesOf));
  expect([...perType]).toHaveLength(1);
  const [each = 0] = perType;
  expect(PAGE).toContain(`| ${seriesOf(METRIC.sessionHookDuration)} more each |`);
  const sets = failing.reduce(
    (sum, metric) => sum + (has(metric, ATTR.sessionHook) ? SESSION_HOOKS.length : 1),
    0,
  );
  const types = MAX_ERROR_TYPES + 1;
  expect(PAGE).toContain(`| ${each} more |`);
  expect(PAGE).toContain(`${sets} × ${types} × ${each} = ${spaced(sets * types * each)} series`);
});

it('the limit of series for queries is as in the guide', () => {
  // Plus `_OTHER` beyond the limit, and the texts without a summary.
  const summaries = MAX_SUMMARIES + 2;
  const [answered, rows] = ofQueries.map(seriesOf) as [number, number];
  expect(PAGE).toContain(`for its summary | ${answered} more |`);
  expect(PAGE).toContain(`each summary | ${answered - 2} buckets + sum + count |`);
  expect(PAGE).toContain(`each summary | ${rows - 2} buckets + sum + count |`);
  expect(PAGE).toContain(`at most ${MAX_SUMMARIES} summaries`);
  for (const each of [answered, rows])
    expect(PAGE).toContain(`${summaries} × ${each} = ${spaced(summaries * each)}`);
});

/** Writes a number with spaces between the thousands. */
function spaced(count: number): string {
  return count.toLocaleString('en').replaceAll(',', ' ');
}
