// An application that runs until it receives a signal; the local stack shows it, and the stack's test disturbs it.
import { once } from 'node:events';
import { Interruption } from '../../src/cli/interruption.js';
import { demoLogger } from '../demo/log.js';
import { startTelemetry, type Telemetry } from '../demo/telemetry.js';
import { UsageError } from '../demo/usage-error.js';
import { VISITS, Workload } from '../demo/workload.js';
import { readArguments, USAGE, type Arguments } from './args.js';
import { serveControl } from './control.js';
import { openDatabase, type Database } from './database.js';
import { Leak } from './leak.js';
import { countEvents, truthOf } from './truth.js';

const THINK_MS = 50;
const QUERY_TIMEOUT_MS = 5_000;
const END_TIMEOUT_MS = 2_000;
const ALIVE_MS = 3_600_000;
// Several of these programs may find an empty database at the same time.
const SCHEMA = `begin; select pg_advisory_xact_lock(1); ${VISITS} commit`;

const warn = (line: string): void => void process.stderr.write(`${line}\n`);

// Exits explicitly, because an export to a collector that never answers would keep the event loop alive.
process.exit(await main());

async function main(): Promise<number> {
  try {
    const given = readArguments(process.argv.slice(2));
    if (!given.help) return await run(given);
    process.stdout.write(USAGE);
    return 0;
  } catch (error) {
    warn(`demo:load: ${(error as Error).message}`);
    if (!(error instanceof UsageError)) return 1;
    process.stderr.write(USAGE);
    return 2;
  }
}

async function run(given: Arguments): Promise<number> {
  using interruption = new Interruption();
  await using telemetry = await startTelemetry(given.metricsPort, warn);
  // Modules that load pg are imported after the instrumentation is set up.
  await using database = await openDatabase(given.auth, warn);
  await using pool = await openPool(given, database, telemetry);
  const events = countEvents(pool);
  await pool.query(SCHEMA);

  const workload = new Workload(pool, telemetry.tracer);
  const leak = new Leak(pool);
  workload.pace.thinkMs = THINK_MS;
  const controlUrl =
    given.controlPort === undefined
      ? undefined
      : await serveControl(given.controlPort, () => truthOf(pool, events, workload, leak), workload, leak);
  workload.setWorkers(given.clients);
  const { metricsUrl, instanceId } = telemetry;
  console.log(JSON.stringify({ pool: given.poolName, instanceId, metricsUrl, controlUrl, pid: process.pid }));
  // Neither signal handlers nor idle connections keep a process alive.
  const alive = setInterval(() => undefined, ALIVE_MS);
  if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
  clearInterval(alive);
  await leak.set(0);
  await workload.stop();
  return 0;
}

async function openPool(given: Arguments, database: Database, { meterProvider, tracerProvider }: Telemetry) {
  const { newPool } = await import('../../src/index.js');
  const { host, port, user, database: name, dynamicAuth, caPem } = database;
  return await newPool(
    {
      hosts: [host, ...(given.secondHost ? [given.secondHost] : [])].map((each) => ({ host: each })),
      ...{ port, user, database: name, sslMode: 'verify-full', dynamicAuth },
      maxOpenConns: given.maxConns,
      minConns: given.minConns,
      connMaxLifetimeMs: given.maxLifetimeMs,
    },
    {
      ...{ meterProvider, tracerProvider, poolName: given.poolName, ssl: { ca: caPem } },
      logger: demoLogger(warn),
      acquireTimeoutMs: given.acquireTimeoutMs,
      maxPending: given.maxPending,
      queryTelemetry: given.queries === 'pgauge' && { rows: true },
      endTimeoutMs: END_TIMEOUT_MS,
      pg: { application_name: given.poolName },
      ...(given.pipeliningDepth > 0
        ? { pipelining: { depth: given.pipeliningDepth } }
        : // A real application would set its tenant in the hook; an empty hook is timed as well.
          { queryTimeoutMs: QUERY_TIMEOUT_MS, onAcquire: () => undefined }),
      // A query that is abandoned by the client should not continue on the server.
      afterConnect: async (client) => {
        await client.query(`set statement_timeout = ${QUERY_TIMEOUT_MS}`);
      },
    },
  );
}
