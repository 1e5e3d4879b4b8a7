import type { InstrumentedPool } from '../../src/index.js';
import { overLimits, unsettled } from './check.js';
import { pause, QUIET_WORKERS, type Phase, type Stage } from './phases.js';
import type { PoolReader, Reading } from './pool-reader.js';
import { since, type Buckets } from '../../src/watch/quantiles.js';
import type { Tally } from './workload.js';

/** The result of a phase, or of the part of it that ran. */
export interface PhaseResult {
  readonly phase: Phase;
  readonly queries: number;
  /** Number of failed requests by error code. */
  readonly errors: ReadonlyMap<string, number>;
  /** The phase's acquires. */
  readonly waits: Buckets;
  /** The phase's token refreshes. */
  readonly tokens: Buckets;
  /** Milliseconds from the end of the fault to the first success of a request that started after it. */
  readonly recoveredMs: number | undefined;
  /** The faults of the pool during and after the phase; empty if it recovered. */
  readonly faults: readonly string[];
  readonly interrupted: boolean;
}

/** The stage with the pool and its metrics. */
export interface Run extends Stage {
  readonly pool: InstrumentedPool;
  readonly reader: PoolReader;
}

/** The numbers at the start of a phase. */
export interface Start {
  readonly reading: Reading;
  readonly tally: Tally;
}

// The shares of a phase before the fault and during it.
const LEAD = 0.1;
const FAULT = 0.6;
// The project promises 2 s, but this machine may be busy.
const RECOVERY_LIMIT_MS = 10_000;
const WATCH_EVERY_MS = 20;
const LOOK_EVERY_MS = 10;

/** The current numbers, from which those of a phase are later subtracted. */
export async function phaseStart({ reader, workload }: Run): Promise<Start> {
  return { reading: await reader.read(), tally: workload.tally() };
}

/** Runs a phase for `durationMs`, waits for the pool to recover, and checks the pool for faults. */
export async function runPhase(
  phase: Phase,
  run: Run,
  start: Start,
  durationMs: number,
): Promise<PhaseResult> {
  const { workload, signal, pool, rds, reader } = run;
  const faults = new Set<string>();
  const watch = setInterval(() => note(faults, overLimits(pool.stat())), WATCH_EVERY_MS);
  const endsAt = performance.now() + durationMs;
  let recoveredMs: number | undefined;
  try {
    workload.setWorkers(QUIET_WORKERS);
    await pause(durationMs * LEAD, signal);
    if (!signal.aborted) await phase.disturb?.(run, durationMs * FAULT);
    workload.awaitSuccess();
    await pause(endsAt - performance.now(), signal);
    recoveredMs = await untilSuccess(run);
    await workload.stop();
    if (!signal.aborted) {
      if (recoveredMs === undefined) faults.add(`no query succeeded within ${RECOVERY_LIMIT_MS} ms`);
      note(faults, await unsettled(pool, rds, RECOVERY_LIMIT_MS));
    }
  } finally {
    clearInterval(watch);
    await workload.stop();
  }

  const tally = workload.tally();
  const errors = difference(tally.errors, start.tally.errors);
  if (!phase.mayFail && errors.size > 0) faults.add('requests failed, though none had to');
  const reading = await reader.read();
  return {
    phase,
    queries: tally.queries - start.tally.queries,
    errors,
    waits: since(reading.waits, start.reading.waits),
    tokens: since(reading.tokens, start.reading.tokens),
    recoveredMs,
    faults: [...faults],
    interrupted: signal.aborted,
  };
}

async function untilSuccess({ workload, signal }: Run): Promise<number | undefined> {
  const deadline = performance.now() + RECOVERY_LIMIT_MS;
  while (workload.successAfterMs === undefined && performance.now() < deadline && !signal.aborted) {
    await pause(LOOK_EVERY_MS, signal);
  }
  const { successAfterMs } = workload;
  return successAfterMs !== undefined && successAfterMs <= RECOVERY_LIMIT_MS ? successAfterMs : undefined;
}

function note(faults: Set<string>, fault: string | undefined): void {
  if (fault !== undefined) faults.add(fault);
}

/** The increase of the counts since `before`. */
export function difference(
  now: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const added = [...now].map(([code, count]) => [code, count - (before.get(code) ?? 0)] as const);
  return new Map(added.filter(([, count]) => count > 0));
}
