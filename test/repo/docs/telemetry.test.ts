import type { CredentialsSource } from '../../../src/hooks.js';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TELEMETRY_PAGE, telemetryPage } from '../../../scripts/telemetry-docs/page.js';
import { prometheusName } from '../../../dashboards/src/prometheus-name.js';
import { AcquireTimeoutError } from '../../../src/errors.js';
import type { PoolStat } from '../../../src/pool/stat.js';
import { MANY_POOLS } from '../../../src/telemetry/logs/many-pools.js';
import { LOG } from '../../../src/telemetry/logs/records.js';
import { METRIC, SPAN, SPAN_ATTRIBUTES } from '../../../src/telemetry/names.js';
import { startPoolStatsLogger } from '../../../src/telemetry/logs/stats-logger.js';
import {
  cleanUp,
  HOST_GAUGES,
  idleGauges,
  keptLogs,
  measured,
  meterSdk,
  observed,
  SESSION,
  tracerSdk,
  useContextManager,
} from '../../support/telemetry.js';

beforeEach(() => {
  useContextManager();
  const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
  vi.useFakeTimers({ toFake: [...timers, 'setImmediate', 'clearImmediate', 'performance'] });
});
afterEach(() => {
  cleanUp();
  vi.useRealTimers();
});

/** Makes a pool report everything it can, and returns the telemetry. */
async function everything() {
  const [meter, tracer, { logger, entries }] = [meterSdk(), tracerSdk(), keptLogs()];
  const fetched: ((provider: string, durationMs: number, error?: unknown) => void)[] = [];
  const { observer, watch } = observed(
    { authProvider: 'awsRdsIam' },
    {
      meterProvider: meter.meterProvider,
      tracerProvider: tracer.tracerProvider,
      logger,
      queryTelemetry: measured({ rows: true, summary: ({ text }) => (text === '' ? '' : undefined) }),
      slowQueryMs: 1_000,
    },
  );
  const gauges = idleGauges({ hosts: HOST_GAUGES, used: 10, idleMin: 1, pending: 1, longestWaitMs: 1_000 });
  watch(gauges);
  observer.acquired(1);
  observer.released(1);
  observer.sessionHook('acquire', 1);
  observer.sessionHook('reset', 1, new TypeError('x'));
  observer.unreachable(new TypeError('x'));
  observer.reachable(1);

  const select = { text: 'select $1', name: undefined, parameterized: true };
  const session = { ...SESSION, port: 1 };
  const queries = observer.session?.(session);
  const [slow, failing] = [queries?.started(select), queries?.started({ ...select, text: '' })];
  vi.advanceTimersByTime(1_000);
  slow?.completed(1);
  failing?.failed(Object.assign(new Error('x'), { code: '22012', severity: 'ERROR' }));
  observer.queryCanceled('timeout', select, session, 1);

  const credentials: CredentialsSource = {
    provider: 'awsRdsIam',
    observe: (to) => {
      fetched.push((...fetch) => to.fetched(...fetch));
      return () => undefined;
    },
    expireAtMs: () => 1_000,
  };
  const source = {
    provider: 'awsRdsIam',
    region: 'eu-west-1',
    hint: 'check the clock',
    credentials: [credentials],
  };
  const acquire = observer.acquireStarted();
  acquire.waiting('exhausted');
  const attempt = observer.connecting(acquire);
  attempt.dialing({ host: 'other', port: 1, database: 'shop', tls: true });
  attempt.peer('192.0.2.1');
  const fail = () => Promise.reject(new TypeError('x'));
  await Promise.allSettled([attempt.hook(fail), attempt.token(source, fail), attempt.init(fail)]);
  await attempt.token(source, () => Promise.resolve('token'));
  for (const error of [undefined, new TypeError('x')]) fetched[0]?.('awsRdsIam', 1, error);
  attempt.failed(1, Object.assign(new Error('x'), { code: '28000', severity: 'FATAL' }), 'auth', 'auth');
  vi.advanceTimersByTime(1_500);
  acquire.failed(1, new AcquireTimeoutError('x'));
  Object.assign(gauges, { pending: 0 });
  vi.advanceTimersByTime(2_000);

  const refused = { code: 'ECONNREFUSED', syscall: 'connect', address: '192.0.2.1', port: 1 };
  observer.connecting(undefined).failed(1, Object.assign(new Error('x'), refused), 'tcp', undefined);
  observer.connecting(undefined).connected(1);
  observer.closed('network', 1, new TypeError('x'));
  observer.closed('tx_open', 1);
  observer.closed('busy', 1);
  observer.leakSuspected(1, 'stack');
  observer.leakReturned(1);
  observer.endWaiting([{ heldMs: 1, stack: 'stack' }], 1);
  observer.endForced([1]);
  // With a new target, because the warning is logged once per target and process.
  const many = randomUUID();
  for (let n = 0; n < MANY_POOLS; n++) observed({ host: many }, { logger }).watch(idleGauges());
  startPoolStatsLogger({ stat: () => ({}) as PoolStat, logger, endSignal: new AbortController().signal });
  vi.advanceTimersByTime(60_000);
  const metrics = await meter.collect();
  observer.ended();
  return { metrics, spans: tracer.spans(), entries };
}

/** The kind of a span: the names of connect and query spans contain values. */
function kindOf(name: string): string {
  if (name.startsWith(SPAN.connect)) return SPAN.connect;
  return name.startsWith('pgauge.') ? name : SPAN.query;
}

const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

describe('the source of docs/telemetry.md', () => {
  it('has every metric with its actual attributes', async () => {
    const { metrics } = await everything();
    const seen = metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      sorted(dataPoints.flatMap(({ attributes }) => Object.keys(attributes))),
    ]);
    const declared = Object.values(METRIC).map(({ name, attributes }) => [name, sorted(attributes)]);
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(declared));
  });

  it('has every span with its actual attributes', async () => {
    const { spans } = await everything();
    const seen: Record<string, string[]> = {};
    for (const { name, attributes } of spans) {
      const known = kindOf(name);
      seen[known] = sorted([...(seen[known] ?? []), ...Object.keys(attributes)]);
    }
    const declared = (Object.keys(SPAN) as (keyof typeof SPAN)[]).map((key) => [
      SPAN[key],
      sorted(SPAN_ATTRIBUTES[key]),
    ]);
    expect(seen).toEqual(Object.fromEntries(declared));
  });

  it('has every log record with its actual level and fields', async () => {
    const { entries } = await everything();
    const seen: Record<string, unknown> = {};
    for (const { level, message, fields } of entries) {
      const before = (seen[message] as { fields: string[] } | undefined)?.fields ?? [];
      seen[message] = { level, fields: sorted([...before, ...Object.keys(fields)]) };
    }
    // The only record that newPool writes itself.
    const records = Object.values(LOG).filter((record) => record !== LOG.poolCreated);
    const declared = records.map(({ level, message, fields }) => [
      message,
      { level, fields: sorted(fields) },
    ]);
    expect(seen).toEqual(Object.fromEntries(declared));
  });
});

describe('docs/telemetry.md', () => {
  it('matches the output of `npm run docs:telemetry`', async () => {
    expect(readFileSync(TELEMETRY_PAGE, 'utf8')).toBe(await telemetryPage());
  });

  it.each([
    [METRIC.connectionCount, 'db_client_connection_count'],
    [METRIC.timeouts, 'db_client_connection_timeouts_total'],
    [METRIC.waitTime, 'db_client_connection_wait_time_seconds'],
    [METRIC.tokenRefreshDuration, 'pgauge_auth_token_refresh_duration_seconds'],
    [METRIC.credentialsExpiration, 'pgauge_auth_credentials_expiration_seconds'],
    [METRIC.emptyAcquireWaitTime, 'pgauge_pool_empty_acquire_wait_time_seconds_total'],
  ])('has the Prometheus name of $name', (metric, name) => {
    expect(prometheusName(metric)).toBe(name);
  });
});
