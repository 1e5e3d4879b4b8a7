import { examine, type Watcher } from './examination.js';
import { choose, targetName, type Choice } from './host-choice.js';
import type { HostRequests } from './hosts.js';
import type { Report, StepResult } from './report.js';
import { settingsOf, targetOf } from './settings.js';

/** The findings of all hosts, and the host that a pool would use. */
export interface Findings {
  readonly startedAt: Date;
  readonly durationMs: number;
  /** In the order of the hosts. */
  readonly reports: readonly Report[];
  /** Undefined if a single host of any kind was requested. */
  readonly choice: Choice | undefined;
}

/** Receives each host before its steps. */
export interface HostWatcher extends Watcher {
  host(place: string): unknown;
}

/** Checks the hosts one after the other, each with an equal share of the time that is left; never rejects. */
export async function examineEach(
  { each, wanted, kindIsJudged }: HostRequests,
  timeoutMs: number,
  watcher?: HostWatcher,
): Promise<Findings> {
  const startedAt = new Date();
  const startedMs = performance.now();
  const reports: Report[] = [];
  for (const [at, { given, env }] of each.entries()) {
    const leftMs = Math.max(0, timeoutMs - (performance.now() - startedMs));
    const settings = { ...settingsOf(given, env), timeoutMs: leftMs / (each.length - at), kindIsJudged };
    if (each.length > 1) watcher?.host(targetName(targetOf(settings)));
    // The destination of telemetry is the same for all hosts.
    const known = reports[0]?.steps.filter(({ id }) => id === 'otel');
    reports.push(await examine(settings, env, watcher, known));
  }
  return {
    startedAt,
    durationMs: performance.now() - startedMs,
    reports,
    choice: kindIsJudged ? choose(reports, wanted) : undefined,
  };
}

/** Each step once, and the choice as the last one. */
export function outcomesOf({ reports, choice }: Findings): readonly Pick<StepResult, 'status' | 'code'>[] {
  const steps = reports.flatMap(({ steps: all }, at) => all.filter(({ id }) => at === 0 || id !== 'otel'));
  return choice === undefined ? steps : [...steps, choice.outcome];
}

/** The number of hosts with a failed step. */
export function failingHosts({ reports }: Findings): number {
  return reports.filter(({ steps }) => steps.some(({ status, id }) => status === 'failed' && id !== 'otel'))
    .length;
}
