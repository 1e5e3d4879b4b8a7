import type { LocalRds } from '../../local-rds/index.js';
import type { InstrumentedPool } from '../../src/index.js';
import { readArguments, USAGE, type Arguments } from './args.js';
import { serveCredentials } from './aws.js';
import type { Display } from './display.js';
import { containerCredentials, useOnly } from './environment.js';
import { Interruption } from './interruption.js';
import { demoLogger } from './log.js';
import { openDisplay } from './open-display.js';
import { MAX_CONNECTIONS } from './phases.js';
import { playPhases } from './play.js';
import { isGood, summaryLines, type Report } from './summary.js';
import { startTelemetry, type Telemetry } from './telemetry.js';
import { UsageError } from './usage-error.js';
import { Workload } from './workload.js';

// Not left to the event loop: an export to a collector that never answers would hold it.
process.exit(await main());

async function main(): Promise<number> {
  try {
    const given = readArguments(process.argv.slice(2));
    if (!given.help) return await demo(given);
    process.stdout.write(USAGE);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`demo: ${error.message}\n${USAGE}`);
    return 2;
  }
}

async function demo(given: Arguments): Promise<number> {
  using interruption = new Interruption();
  const display = openDisplay();
  try {
    const report = await run(given, display, interruption.signal);
    display.close();
    const lines = report ? summaryLines(report) : ['Ended before the first phase.'];
    for (const line of lines) display.say(line);
    return interruption.exitCode ?? (report && isGood(report) ? 0 : 1);
  } catch (error) {
    display.close();
    display.log(`demo: ${textOf(error)}`);
    return interruption.exitCode ?? 1;
  }
}

// What cannot be started says why itself; only a defect of the demo needs its stack.
function textOf(error: unknown): string {
  const { message, stack } = error as Error;
  return error instanceof TypeError || error instanceof ReferenceError ? (stack ?? message) : message;
}

/** Starts everything, plays the phases and stops everything; undefined when it was interrupted before the first phase. */
async function run(given: Arguments, display: Display, signal: AbortSignal): Promise<Report | undefined> {
  await using telemetry = await startTelemetry(given.metricsPort, (line) => display.log(line));
  display.say('Starting PostgreSQL ...');
  // Loaded here: what loads pg comes after the instrumentation.
  const { startLocalRds } = await import('../../local-rds/index.js');
  await using rds = await startLocalRds();
  if (signal.aborted) return undefined;

  const lifetimeMs = lifetime(given);
  await using credentials = await serveCredentials(rds, lifetimeMs);
  useOnly(containerCredentials(credentials.url));
  await using pool = await openPool(rds, telemetry, lifetimeMs, given, display);
  await pool.query('create table visits (id bigserial primary key, at timestamptz not null default now())');
  for (const line of whereToLook(rds, telemetry, given)) display.say(line);

  const workload = new Workload(pool, telemetry.tracer);
  const { reader, metricsUrl, spans } = telemetry;
  const results = await playPhases(
    { rds, credentials, workload, signal, pool, reader },
    // The clock starts with the process.
    { display, metricsUrl, endsAt: given.seconds * 1_000 },
  );
  return { results, gate: rds.gate.stats(), spans };
}

async function openPool(
  rds: LocalRds,
  { meterProvider, tracerProvider }: Telemetry,
  lifetimeMs: number,
  { statsLog, seconds }: Arguments,
  display: Display,
): Promise<InstrumentedPool> {
  const { newPool } = await import('../../src/index.js');
  return await newPool(
    {
      host: rds.host,
      port: rds.port,
      user: rds.user,
      database: rds.database,
      sslMode: 'verify-full',
      dynamicAuth: { awsRdsIam: { region: rds.region } },
      maxOpenConns: MAX_CONNECTIONS,
      minConns: 2,
      connMaxLifetimeMs: lifetimeMs,
    },
    {
      meterProvider,
      tracerProvider,
      poolName: 'demo',
      ssl: { ca: rds.caPem },
      logger: demoLogger((line) => display.log(line), { stats: statsLog }),
      statsLog: statsLog && { intervalMs: Math.min(5_000, seconds * 50) },
      acquireTimeoutMs: 5_000,
      queryTimeoutMs: 5_000,
      endTimeoutMs: 2_000,
    },
  );
}

// Connections and credentials live for an hour and more elsewhere. Here they end all the time, so that a run of less
// than a minute has tokens to measure.
function lifetime({ seconds }: Arguments): number {
  return Math.min(2_000, seconds * 50);
}

function whereToLook(
  rds: LocalRds,
  { metricsUrl, otlpEndpoint }: Telemetry,
  { statsLog }: Arguments,
): string[] {
  return [
    `PostgreSQL  ${rds.host}:${rds.port}/${rds.database} as ${rds.user}, TLS verify-full, an IAM token per login`,
    `Metrics     ${metricsUrl}, OTLP ${otlpEndpoint ? `to ${otlpEndpoint}` : 'off (see --help)'}`,
    `Look at     token refresh and acquire; ${statsLog ? 'the stats records are on stderr' : 'the stats records come with --stats-log'}`,
  ];
}
