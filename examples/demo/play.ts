import type { Display } from './display.js';
import { phasesOf } from './phases.js';
import { phaseStart, runPhase, type PhaseResult, type Run, type Start } from './run-phase.js';
import { Rate, viewOf } from './view.js';

/** The output of the phases, and the time at which they must be over. */
export interface Frame {
  readonly display: Display;
  readonly metricsUrl: string;
  /** On the clock of `performance.now()`. */
  readonly endsAt: number;
}

// Time for ending the pool and the servers, and for checking the pool after each phase.
const ENDING_MS = 1_500;
// Shorter phases would show nothing; only matters on a machine that starts servers very slowly.
const MIN_TOTAL_MS = 5_000;
const MIN_PHASE_MS = 500;

/** Plays the phases in order and shows them; when the run's signal aborts, resolves early with the results so far. */
export async function playPhases(run: Run, frame: Frame): Promise<PhaseResult[]> {
  const startedAt = performance.now();
  const totalMs = Math.max(MIN_TOTAL_MS, frame.endsAt - ENDING_MS - startedAt);
  const results: PhaseResult[] = [];
  const rate = new Rate();
  let plannedEnd = startedAt;
  for (const phase of phasesOf(run.source.trouble)) {
    if (run.signal.aborted) break;
    plannedEnd += phase.share * totalMs;
    const start = await phaseStart(run);
    let over = false;
    frame.display.begin(phase);
    const show = async (): Promise<void> => {
      const now = performance.now();
      const scene = {
        elapsedMs: now - startedAt,
        leftMs: startedAt + totalMs - now,
        ...{ phase, results, metricsUrl: frame.metricsUrl },
      };
      const seen: Start = await phaseStart(run);
      if (!over) frame.display.show(viewOf(scene, start, seen, rate.next(seen.tally.queries)));
    };
    const timer = setInterval(() => void show(), frame.display.everyMs);
    try {
      await show();
      const durationMs = Math.max(MIN_PHASE_MS, plannedEnd - performance.now());
      const result = await runPhase(phase, run, start, durationMs);
      results.push(result);
      frame.display.end(result);
    } finally {
      over = true;
      clearInterval(timer);
    }
  }
  return results;
}
