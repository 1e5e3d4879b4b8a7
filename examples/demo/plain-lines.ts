import type { Display } from './display.js';
import { formatCounts, sumOf } from './format.js';
import type { Phase } from './phases.js';
import { quantile, type Buckets } from '../../src/watch/quantiles.js';
import { pairsLine, plainMs } from '../../src/watch/terminal/format.js';
import type { PhaseResult } from './run-phase.js';
import type { View } from './view.js';

/** Lines of `key=value` pairs for pipes and logs, one per second. */
export class PlainLines implements Display {
  readonly everyMs = 1_000;

  constructor(
    private readonly stdout: NodeJS.WriteStream,
    private readonly stderr: NodeJS.WriteStream,
  ) {}

  say(line: string): void {
    this.stdout.write(`${line}\n`);
  }

  log(line: string): void {
    this.stderr.write(`${line}\n`);
  }

  begin({ name, about }: Phase): void {
    this.say(`phase=${slug(name)} begins: ${about}`);
  }

  show(view: View): void {
    this.say(plainLine(view));
  }

  end(result: PhaseResult): void {
    this.say(plainResult(result));
  }

  close(): void {
    // There is nothing to restore.
  }
}

function plainLine(view: View): string {
  const { tokens, waits } = view;
  const pairs = {
    t: `${(view.elapsedMs / 1_000).toFixed(1)}s`,
    left: `${Math.ceil(Math.max(0, view.leftMs) / 1_000)}s`,
    phase: slug(view.phase.name),
    ...tokenTimes(tokens),
    used: view.used,
    idle: view.idle,
    connecting: view.connecting,
    pending: view.pending,
    acquire_p99_ms: plainMs(quantile(waits, 0.99)),
    queries_per_s: Math.round(view.queriesPerSecond),
    ...errorPairs(view.errors),
  };
  return pairsLine(pairs);
}

function plainResult(result: PhaseResult): string {
  const { phase, queries, errors, waits, tokens, recoveredMs, faults, interrupted } = result;
  const recovered = interrupted ? 'interrupted' : faults.length === 0 ? 'yes' : 'no';
  return pairsLine({
    phase: `${slug(phase.name)} ends:`,
    recovered,
    recovered_ms: recoveredMs?.toFixed(1) ?? '-',
    queries,
    ...tokenTimes(tokens),
    acquire_p99_ms: plainMs(quantile(waits, 0.99)),
    ...errorPairs(errors),
  });
}

function tokenTimes(tokens: Buckets): Record<string, string> {
  return {
    token_refresh_p50_ms: plainMs(quantile(tokens, 0.5)),
    token_refresh_p95_ms: plainMs(quantile(tokens, 0.95)),
    token_refresh_p99_ms: plainMs(quantile(tokens, 0.99)),
  };
}

function errorPairs(errors: ReadonlyMap<string, number>): Record<string, string | number> {
  const codes = errors.size > 0 ? { error_codes: JSON.stringify(formatCounts(errors)) } : {};
  return { errors: sumOf(errors), ...codes };
}

function slug(name: string): string {
  return name.replaceAll(' ', '-');
}
