import { PHASES, type Phase } from './phases.js';
import type { Reading } from './pool-reader.js';
import { since, type Buckets } from '../../src/watch/quantiles.js';
import { difference, type PhaseResult, type Start } from './run-phase.js';

/** Everything shown at one moment; histograms, counts and errors are those of the current phase. */
export interface View extends Pick<Reading, 'used' | 'idle' | 'connecting' | 'limit' | 'pending'> {
  readonly elapsedMs: number;
  readonly leftMs: number;
  readonly phase: Phase;
  /** Counted from 1. */
  readonly phaseNumber: number;
  readonly waits: Buckets;
  readonly tokens: Buckets;
  readonly queries: number;
  readonly queriesPerSecond: number;
  readonly errors: ReadonlyMap<string, number>;
  /** The results of the finished phases. */
  readonly results: readonly PhaseResult[];
  readonly metricsUrl: string;
}

/** The arguments of `viewOf` about the run itself. */
export type Scene = Pick<View, 'elapsedMs' | 'leftMs' | 'phase' | 'results' | 'metricsUrl'>;

/** The view at `now` of the phase that began with `start`. */
export function viewOf(scene: Scene, start: Start, now: Start, queriesPerSecond: number): View {
  const { used, idle, connecting, limit, pending } = now.reading;
  return {
    ...scene,
    phaseNumber: PHASES.findIndex(({ name }) => name === scene.phase.name) + 1,
    ...{ used, idle, connecting, limit, pending, queriesPerSecond },
    waits: since(now.reading.waits, start.reading.waits),
    tokens: since(now.reading.tokens, start.reading.tokens),
    queries: now.tally.queries - start.tally.queries,
    errors: difference(now.tally.errors, start.tally.errors),
  };
}

const WINDOW_MS = 2_000;

/** Events per second over the last two seconds. */
export class Rate {
  readonly #samples: { at: number; count: number }[] = [];

  /** Takes a cumulative count and returns the current rate. */
  next(count: number, at = performance.now()): number {
    const samples = this.#samples;
    samples.push({ at, count });
    while (samples.length > 2 && at - (samples[1]?.at ?? at) >= WINDOW_MS) samples.shift();
    const first = samples[0];
    return first === undefined || at === first.at ? 0 : ((count - first.count) * 1_000) / (at - first.at);
  }
}
