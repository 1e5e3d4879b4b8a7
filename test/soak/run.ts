import { setTimeout as sleep } from 'node:timers/promises';
import { newPool, type Config } from '../../src/index.js';
import { until } from '../support/until.js';
import { faultPlan, inject, type Scene } from './faults.js';
import { Ledger } from './ledger.js';
import { ServerProcess } from './server-process.js';
import { loginsAtATime, SILENT } from './storm.js';
import { Tally } from './tally.js';
import { activeResources, socketsTo, Vitals } from './vitals.js';
import { Workload } from './workload.js';

/** The pool's maximum, and how many workers use it at a time. */
export const MAX = 8;
export const WORKERS = 40;
/** The limit of concurrent logins in the storm's first run. */
export const FEW = 2;
/** How long everything may take to settle when the load has stopped, in milliseconds. */
const SETTLE_MS = 30_000;
const APPLICATION = 'pgauge-soak';
const LONGEST_QUERY_MS = 1_000;
/** Longer than the 10 s between two look-ups of credentials, which delay the recovery from revoked ones. */
const LONGEST_RECOVERY_MS = 20_000;

/** The kind of pool under load. */
export interface Kind {
  /** One or two. */
  readonly hosts: number;
  /** How many queries share a connection; 0 for none. */
  readonly pipelining: number;
}

/** What a soak found. */
export interface Findings {
  readonly seconds: number;
  readonly tally: Tally;
  readonly faults: ReadonlyMap<string, { count: number; recoveryMs: number }>;
  readonly connections: number;
  /** Queries that were sent on a connection that was serving others; undefined without pipelining. */
  readonly joined: number | undefined;
  readonly writes: Awaited<ReturnType<Ledger['compare']>>;
  readonly leakedSockets: number;
  readonly leakedSessions: number;
  readonly leakedResources: readonly string[];
  readonly ended: boolean;
  readonly heap: { readonly first: number; readonly last: number };
  readonly longestStallMs: number;
  readonly loginsFew: number;
  readonly loginsUnlimited: number;
}

/** Loads a pool for this long while faults happen at random, and checks what is left afterwards. */
export async function soak(durationMs: number, seed: number, kind: Kind): Promise<Findings> {
  const server = await ServerProcess.start();
  try {
    const facts = await server.ask('facts');
    Object.assign(process.env, awsEnvironment(facts.imds));
    await server.ask('prepare');
    const config: Config = {
      hosts: facts.ports.slice(0, kind.hosts).map((port) => ({ host: facts.host, port })),
      user: facts.user,
      database: facts.database,
      dynamicAuth: { awsRdsIam: { region: facts.region } },
      sslMode: 'verify-full',
    };
    const before = activeResources();
    const load = await loaded(server, { config, ca: facts.caPem, kind }, durationMs, seed);
    const leakedSockets = socketsTo(facts.ports);
    const leakedSessions = await settled(
      () => server.ask('sessions', APPLICATION),
      (count) => count === 0,
    );
    const leakedResources = await settled(
      () => beyond(before, activeResources()),
      ({ length }) => length === 0,
    );
    const writes = await load.ledger.compare((from, to) => server.ask('written', from, to));
    const storm = {
      config: { ...config, hosts: [{ host: facts.host, port: facts.stormPort }] },
      ca: facts.caPem,
    };
    const loginsFew = await loginsAtATime(server, storm, FEW);
    const loginsUnlimited = await loginsAtATime(server, storm, undefined);
    const left = { leakedSockets, leakedSessions, leakedResources };
    return { ...load, ...left, writes, loginsFew, loginsUnlimited };
  } finally {
    await server.stop();
  }
}

async function loaded(
  server: ServerProcess,
  { config, ca, kind }: { readonly config: Config; readonly ca: string; readonly kind: Kind },
  durationMs: number,
  seed: number,
) {
  const { hosts, pipelining } = kind;
  const pool = await newPool(
    { ...config, maxOpenConns: MAX, minConns: 2, connMaxLifetimeMs: 4_000 },
    {
      ssl: { ca },
      pg: { application_name: APPLICATION, ...(pipelining > 0 && { statement_timeout: LONGEST_QUERY_MS }) },
      connectTimeoutMs: 4_000,
      acquireTimeoutMs: 8_000,
      ...(pipelining > 0
        ? { pipelining: { depth: pipelining, texts: true } }
        : { queryTimeoutMs: LONGEST_QUERY_MS }),
      idleTimeoutMs: 1_000,
      healthCheckPeriodMs: 500,
      maxConnecting: 4,
      maxUses: 500,
      leakDetectionMs: 1_500,
      // With two hosts, an acquire waits for the other host.
      connectRetryMs: hosts > 1 ? 6_000 : 0,
      logger: SILENT,
    },
  );
  let handedOver = 0;
  pool.on('acquire', () => (handedOver += 1));
  const [tally, ledger] = [new Tally(), new Ledger()];
  // Loads everything that is loaded once, which may take longer than one attempt may.
  await until('the first connection', () =>
    pool.query('select 1').then(
      () => true,
      () => false,
    ),
  );
  const startedAt = performance.now();
  const workload = new Workload(pool, tally, ledger, { workers: WORKERS, seed, max: MAX });
  const vitals = new Vitals(durationMs);
  const scene = { server, pool, application: APPLICATION, hosts, pipelining: pipelining > 0 };
  const faults = await disturb(scene, workload, durationMs, seed);
  await workload.stop();
  vitals.stop();
  const seconds = (performance.now() - startedAt) / 1_000;
  // After the last fault, and without other load.
  await tally.watch('last query', pool.query('select 1'));
  const { newConnsCount: connections, acquireCount } = pool.stat();
  // The pool emits `acquire` for a hand-over, but not for a query that joins others.
  const joined = pipelining > 0 ? acquireCount - handedOver : undefined;
  const ended = await Promise.race([
    workload.endPool().then(() => true),
    sleep(SETTLE_MS, false, { ref: false }),
  ]);
  const { longestStallMs } = vitals;
  return { seconds, tally, ledger, faults, connections, joined, ended, heap: vitals.heap(), longestStallMs };
}

/** Injects one fault after the other until the time is over, and measures how long each takes to heal. */
async function disturb(scene: Scene, workload: Workload, durationMs: number, seed: number) {
  const counts = new Map<string, { count: number; recoveryMs: number }>();
  const end = performance.now() + durationMs;
  const plan = faultPlan(seed, 1 + Math.ceil(durationMs / 400), scene.hosts);
  for (const fault of plan) {
    if (performance.now() >= end) break;
    await inject(scene, fault);
    const recoveryMs = await recovered(workload);
    const { count, recoveryMs: longest } = counts.get(fault.kind) ?? { count: 0, recoveryMs: 0 };
    counts.set(fault.kind, { count: count + 1, recoveryMs: Math.max(longest, recoveryMs) });
    await sleep(Math.min(fault.calmMs, Math.max(0, end - performance.now())));
  }
  return counts;
}

/** The time until an operation that begins from now on succeeds. */
async function recovered(workload: Workload): Promise<number> {
  const endedAt = performance.now();
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`nothing succeeded within ${LONGEST_RECOVERY_MS} ms of the end of a fault`));
    }, LONGEST_RECOVERY_MS);
    workload.onSuccess = (startedAt) => {
      if (startedAt < endedAt) return;
      workload.onSuccess = () => undefined;
      clearTimeout(timer);
      resolve(performance.now() - endedAt);
    };
  });
}

/** The kinds of which there are more now, once for each one more. */
function beyond(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): string[] {
  return [...now].flatMap(([type, count]) =>
    Array.from({ length: Math.max(0, count - (before.get(type) ?? 0)) }, () => type),
  );
}

/** The value once it is `right`, or the last one after 5 s: a server takes time to notice a closed socket. */
async function settled<T>(look: () => T | Promise<T>, right: (found: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const found = await look();
    if (right(found) || attempt === 100) return found;
    await sleep(50);
  }
}

/** An environment in which credentials come only from the metadata service. */
function awsEnvironment(imds: string): Record<string, string> {
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  return {
    AWS_EC2_METADATA_SERVICE_ENDPOINT: imds,
    AWS_CONFIG_FILE: '/nonexistent/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
  };
}
