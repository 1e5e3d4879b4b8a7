import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalRds } from '../../local-rds/index.js';
import type { LoginSource, Trouble } from './sources/source.js';
import type { Workload } from './workload.js';

/** Everything that a phase can disturb. */
export interface Stage {
  readonly rds: LocalRds;
  readonly source: LoginSource;
  readonly workload: Workload;
  readonly signal: AbortSignal;
}

/** One phase of the demo. */
export interface Phase {
  readonly name: string;
  /** A short description. */
  readonly about: string;
  /** Its share of the total time of all phases. */
  readonly share: number;
  /** Whether requests may fail in it. */
  readonly mayFail: boolean;
  /** Causes a fault for about `durationMs`; resolves once the fault has ended, early if the stage's signal aborts. */
  readonly disturb?: (stage: Stage, durationMs: number) => Promise<void>;
}

/** The maximum number of connections of the demo's pool. */
export const MAX_CONNECTIONS = 10;
/** The number of concurrent requests in quiet phases: less than the pool's maximum of connections. */
export const QUIET_WORKERS = 6;
const BURST_WORKERS = 4 * MAX_CONNECTIONS;

/** Time limit, in milliseconds, for a new connection to need credentials after the old ones have expired. */
const NEEDED_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 10;

const SLOW_CREDENTIALS = 'slow credentials';

/** The phases of the demo, in order. */
export const PHASES: readonly Phase[] = [
  {
    name: 'steady',
    about: `${QUIET_WORKERS} requests at a time, ${MAX_CONNECTIONS} connections at most`,
    share: 0.2,
    mayFail: false,
  },
  {
    name: 'burst',
    about: `${BURST_WORKERS} requests at a time: acquirers wait`,
    share: 0.2,
    mayFail: false,
    disturb: async ({ workload, signal }, durationMs) => {
      workload.setWorkers(BURST_WORKERS);
      await pause(durationMs, signal);
      workload.setWorkers(QUIET_WORKERS);
    },
  },
  {
    name: SLOW_CREDENTIALS,
    about: 'credentials come late',
    share: 0.25,
    mayFail: false,
    disturb: async ({ source: { trouble, lifetimeMs }, signal }, durationMs) => {
      await trouble.begin();
      await pause(durationMs, signal);
      // On a busy machine the phase can be shorter than the lifetime of an answer: continue until a login had to wait.
      const deadline = performance.now() + 2 * lifetimeMs + NEEDED_WITHIN_MS;
      while (!trouble.met() && performance.now() < deadline && !signal.aborted)
        await pause(LOOK_EVERY_MS, signal);
      trouble.end();
    },
  },
  {
    name: 'server restart',
    about: 'every connection is lost, new ones are refused',
    share: 0.2,
    mayFail: true,
    disturb: async ({ rds }) => rds.restart(),
  },
  {
    name: 'recovery',
    about: 'as steady: the numbers are to be the same again',
    share: 0.15,
    mayFail: false,
  },
];

/** The phases of the demo with one source. */
export function phasesOf({ about, mayFail = false }: Trouble): readonly Phase[] {
  return PHASES.map((phase) => (phase.name === SLOW_CREDENTIALS ? { ...phase, about, mayFail } : phase));
}

/** Resolves after `durationMs` or when the signal aborts, whichever comes first. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, durationMs), undefined, { signal }).catch(() => undefined);
}
