import type { LocalRds } from '../../local-rds/index.js';
import type { InstrumentedPool } from '../../src/index.js';
import { readArguments, USAGE, type Arguments } from './args.js';
import { DEFAULT_AUTH } from './auth-option.js';
import type { Display } from './display.js';
import { useOnly } from './environment.js';
import { Interruption } from '../../src/cli/interruption.js';
import { serveLivePage, type DemoPage } from './live-page.js';
import { demoLogger } from './log.js';
import { openDisplay } from './open-display.js';
import { MAX_CONNECTIONS } from './phases.js';
import { playPhases } from './play.js';
import type { LoginSource } from './sources/source.js';
import { isGood, summaryLines, type Report } from './summary.js';
import { startTelemetry, type Telemetry } from './telemetry.js';
import { UsageError } from './usage-error.js';
import { VISITS, Workload } from './workload.js';

// Exits explicitly, because an export to a collector that never answers would keep the event loop alive.
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

// A start-up error's message gives the reason; only a bug in the demo needs the stack.
function textOf(error: unknown): string {
  const { message, stack } = error as Error;
  return error instanceof TypeError || error instanceof ReferenceError ? (stack ?? message) : message;
}

/** Starts everything, plays the phases and stops everything; undefined if interrupted before the first phase. */
async function run(given: Arguments, terminal: Display, signal: AbortSignal): Promise<Report | undefined> {
  await using telemetry = await startTelemetry(given.metricsPort, (line) => terminal.log(line));
  using page = serveLivePage(telemetry);
  const display = page.beside(terminal);
  display.say(`Watch it live  ${page.url}`);
  display.say('Starting PostgreSQL ...');
  // Imported here, because pg must be loaded after the instrumentation.
  const { startLocalRds } = await import('../../local-rds/index.js');
  await using rds = await startLocalRds();
  if (signal.aborted) return undefined;

  const lifetimeMs = lifetime(given);
  const { SOURCES } = await import('./sources/index.js');
  await using source = await SOURCES[given.auth](rds, lifetimeMs);
  useOnly(source.env);
  await using pool = await openPool(rds, source, telemetry, lifetimeMs, given, display, page);
  await pool.query(VISITS);
  for (const line of whereToLook(rds, source, telemetry, given)) display.say(line);

  const workload = new Workload(pool, telemetry.tracer);
  const { reader, metricsUrl, spans } = telemetry;
  const results = await playPhases(
    { rds, source, workload, signal, pool, reader },
    // `performance.now()` counts from the start of the process.
    { display, metricsUrl, endsAt: given.seconds * 1_000 },
  );
  return { results, gate: rds.gate.stats(), spans };
}

async function openPool(
  rds: LocalRds,
  { user, dynamicAuth }: LoginSource,
  { meterProvider, tracerProvider }: Telemetry,
  lifetimeMs: number,
  { statsLog, seconds }: Arguments,
  display: Display,
  page: DemoPage,
): Promise<InstrumentedPool> {
  const { newPool } = await import('../../src/index.js');
  return await newPool(
    {
      host: rds.host,
      port: rds.port,
      user,
      database: rds.database,
      sslMode: 'verify-full',
      dynamicAuth,
      maxOpenConns: MAX_CONNECTIONS,
      minConns: 2,
      connMaxLifetimeMs: lifetimeMs,
    },
    {
      meterProvider,
      tracerProvider,
      poolName: 'demo',
      ssl: { ca: rds.caPem },
      logger: demoLogger(
        (line) => display.log(line),
        // The page always shows the stats records.
        (line) => (statsLog ? display.log(line) : page.line(line)),
      ),
      statsLog: { intervalMs: Math.min(5_000, seconds * 50) },
      acquireTimeoutMs: 5_000,
      queryTimeoutMs: 5_000,
      endTimeoutMs: 2_000,
    },
  );
}

// In production, connections and credentials live for an hour or more. Here they expire all the time, so that a run of
// less than a minute has tokens to measure.
function lifetime({ seconds }: Arguments): number {
  return Math.min(2_000, seconds * 50);
}

function whereToLook(
  rds: LocalRds,
  source: LoginSource,
  { metricsUrl, otlpEndpoint }: Telemetry,
  { statsLog, auth }: Arguments,
): string[] {
  return [
    `PostgreSQL  ${rds.host}:${rds.port}/${rds.database} as ${source.user}, TLS verify-full, ${source.about}`,
    ...(auth === DEFAULT_AUTH ? [] : [`Logins      dynamicAuth: ${auth}`]),
    `Metrics     ${metricsUrl}, OTLP ${otlpEndpoint ? `to ${otlpEndpoint}` : 'off (see --help)'}`,
    `Look at     token refresh and acquire; ${statsLog ? 'the stats records are on stderr' : 'the stats records come with --stats-log'}`,
  ];
}
