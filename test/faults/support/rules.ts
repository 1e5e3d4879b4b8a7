import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { LocalPostgres } from '../../../local-rds/postgres.js';
import type { RecordingLogger } from '../../support/logger.js';
import { series } from '../../support/series.js';
import { sessionsOf } from '../../support/sessions.js';
import { until } from '../../support/until.js';
import type { meterSdk, tracerSdk } from '../../support/telemetry.js';
import { statementsOf, unique } from './fault-server.js';
import type { ExpectedCloses, PoolWatch } from './pool-watch.js';

/**
 * How long the next query may take after a fault, in milliseconds: more than a loaded machine needs, and less than
 * a pool that waits for a timeout (15 s to connect, 30 s to acquire).
 */
const RECOVERED_MS = 10_000;

/** One pool under fault and everything recorded about it. */
export interface Evidence {
  readonly watch: PoolWatch;
  readonly closed: ExpectedCloses;
  readonly log: RecordingLogger;
  readonly meter: ReturnType<typeof meterSdk>;
  readonly tracer: ReturnType<typeof tracerSdk>;
  readonly servers: readonly LocalPostgres[];
}

/** After a fault, checks the rules that hold for every fault, and ends the pool. */
export async function checkRules(evidence: Evidence): Promise<void> {
  const { watch } = evidence;
  watch.checked = true;
  await worksAgain(evidence);
  await until('every promise has settled', () => watch.outstanding === 0 && watch.pool.waitingCount === 0);
  await countsAgree(evidence);
  everyCloseIsTold(evidence);
  await everyCloseIsCounted(evidence);
  faultsWarn(evidence);
  nothingIsRepeated(evidence);
  await leavesNothingBehind(evidence);
  await tellsNoSecret(evidence);
}

async function worksAgain({ watch: { pool } }: Evidence): Promise<void> {
  const startedAt = performance.now();
  const { rows } = await pool.query<{ works: boolean }>(unique('select true as works'));
  expect(rows).toEqual([{ works: true }]);
  expect(performance.now() - startedAt, 'time to the first good query').toBeLessThan(RECOVERED_MS);
}

async function countsAgree({ watch, servers }: Evidence): Promise<void> {
  const { pool, name, max, sockets, mostTotal, violations } = watch;
  const seen = async (): Promise<number[]> => [
    pool.totalCount,
    sockets.held,
    ...[pool.stat().idleConns],
    await sessions(servers, name),
  ];
  let counts: number[] = [];
  await until('the pool, its sockets and the server agree', async () => {
    counts = await seen();
    return new Set(counts).size === 1;
  }).catch((error: unknown) => {
    throw new Error(`pool, sockets, idle and sessions are ${counts.join(', ')}`, { cause: error });
  });
  expect(mostTotal, 'most connections').toBeLessThanOrEqual(max);
  expect(violations, 'sockets beyond what the pool counts').toEqual([]);
}

function everyCloseIsTold({ watch, closed, log }: Evidence): void {
  const told = tally(log.closeReasons);
  for (const [reason, wanted] of Object.entries(closed)) {
    const count = told[reason] ?? 0;
    if (wanted === 'some') expect(count, reason).toBeGreaterThan(0);
    else if (wanted !== 'any') expect(count, reason).toBe(wanted);
  }
  expect(
    Object.keys(told).filter((reason) => !(reason in closed)),
    'unexpected close reasons',
  ).toEqual([]);
  const opened = log.named('postgres connection opened').length;
  // A connection whose login failed was never open; its record has an age of 0.
  const ended = log.named('postgres connection closed').filter(({ fields }) => fields['age_ms'] !== 0).length;
  expect(opened - ended, 'records of opened and closed connections').toBe(watch.pool.totalCount);
}

async function everyCloseIsCounted({ watch: { name }, log, meter }: Evidence): Promise<void> {
  const counted = await series(meter.points, 'pgauge.connection.closed', name);
  const nonzero = Object.fromEntries(Object.entries(counted).filter(([, count]) => count > 0));
  expect(nonzero, 'counted closes').toEqual(tally(log.closeReasons));
}

function faultsWarn({ watch: { pool }, log }: Evidence): void {
  const warnings = log.records.filter(({ level }) => level === 'warn');
  const keys = warnings.map(({ message, fields }) => `${message} ${String(fields['error_type'])}`);
  expect(keys, 'warnings within a minute').toEqual([...new Set(keys)]);
  for (const { fields } of log.named('postgres connection closed')) {
    const { reason, age_ms: age, error_type: type } = fields;
    if (age === 0 || !FAULTS.has(String(reason))) continue;
    expect(keys).toContain(DISCARDED[String(reason)] ?? `postgres connection lost ${String(type ?? reason)}`);
  }
  const { newConnsCount, constructingConns } = pool.stat();
  const opened = log.named('postgres connection opened').length;
  if (newConnsCount - constructingConns > opened) {
    expect(keys.some((key) => key.startsWith('postgres connect failed'))).toBe(true);
  }
}

/** The connection was not lost, so the record has a different text and no error. */
const DISCARDED: Readonly<Record<string, string>> = {
  tx_open: 'postgres client released in a transaction undefined',
  busy: 'postgres client released while a query was running undefined',
};

const FAULTS: ReadonlySet<string> = new Set([
  'server_closed',
  'network',
  'timeout',
  'tx_open',
  'busy',
  'read_only',
]);

function nothingIsRepeated({ watch: { name }, servers }: Evidence): void {
  const statements = servers.flatMap((server) => statementsOf(server, name));
  const repeated = Object.entries(tally(statements)).filter(([, count]) => count > 1);
  // A test marks each of its statements, so a repeated one was sent twice by the pool.
  expect(repeated, 'statements that the server was sent twice').toEqual([]);
  expect(statements.length, 'statements in the log').toBeGreaterThan(0);
}

async function leavesNothingBehind({ watch, servers }: Evidence): Promise<void> {
  await watch.pool.end();
  expect(watch.pool.totalCount).toBe(0);
  await until('no socket is left', () => watch.sockets.held === 0);
  await until('no session is left', async () => (await sessions(servers, watch.name)) === 0);
}

async function tellsNoSecret({ watch, log, meter, tracer, servers }: Evidence): Promise<void> {
  const secrets = new Set(servers.map(({ password }) => password));
  const spans = tracer.spans().map(({ name, attributes, events }) => [name, attributes, events]);
  const shown = inspect([watch.errors, log.records, await meter.collect(), spans], {
    depth: 12,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
  });
  for (const secret of secrets) expect(shown.includes(secret), 'a password shows').toBe(false);
}

async function sessions(servers: readonly LocalPostgres[], name: string): Promise<number> {
  // Servers that are stopped permanently have no sessions.
  const counts = servers.filter(({ pid }) => pid !== undefined).map((server) => sessionsOf(server, name));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

function tally(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}
