import type { GateStats } from '../../local-rds/index.js';
import { formatCounts, sumOf } from './format.js';
import { PHASES } from './phases.js';
import { quantile } from '../../src/watch/quantiles.js';
import { formatCount, formatMs, formatSeconds } from '../../src/watch/terminal/format.js';
import type { PhaseResult } from './run-phase.js';
import type { SpanCounter } from './span-counter.js';

/** The data of the summary. */
export interface Report {
  readonly results: readonly PhaseResult[];
  readonly gate: GateStats;
  readonly spans: Pick<SpanCounter, 'queries' | 'connects' | 'tokens'>;
}

/** Whether every phase ran to its end, the pool recovered from each, and every token was accepted. */
export function isGood({ results, gate }: Report): boolean {
  return (
    results.length === PHASES.length &&
    results.every(({ faults, interrupted }) => faults.length === 0 && !interrupted) &&
    tokenFault(gate) === undefined
  );
}

const HEAD = ['phase', 'queries', 'errors', 'acquire p99', 'token p50', 'p95', 'p99', 'recovered'] as const;
const WIDTHS = [16, 8, 7, 12, 10, 8, 8, 11] as const;

/** The lines of the summary; its table is at most 80 characters wide. */
export function summaryLines(report: Report): string[] {
  const { results, gate, spans } = report;
  const details = results.flatMap(({ phase, errors, faults }) => [
    ...(errors.size > 0 ? [`errors in ${phase.name}: ${formatCounts(errors)}`] : []),
    ...faults.map((fault) => `NOT recovered from ${phase.name}: ${fault}`),
  ]);
  const rejected = tokenFault(gate);
  return [
    '',
    line(HEAD),
    ...results.map((result) => line(cells(result))),
    ...PHASES.slice(results.length).map(({ name }) => `${name.padEnd(WIDTHS[0])}  did not run`),
    'Times are interpolated in the buckets of the histograms, as Prometheus does.',
    '',
    ...details,
    ...tokens(gate),
    ...(rejected === undefined ? [] : [`NOT good: ${rejected}`]),
    `spans: ${formatCount(spans.queries)} queries (instrumentation-pg), ${spans.connects} CONNECT, ${spans.tokens} token refreshes`,
    verdict(report),
  ];
}

function cells({
  phase,
  queries,
  errors,
  waits,
  tokens,
  faults,
  recoveredMs,
  interrupted,
}: PhaseResult): string[] {
  const recovered = faults.length > 0 ? 'NO' : interrupted ? 'cut short' : `in ${formatMs(recoveredMs)}`;
  return [
    phase.name,
    formatCount(queries),
    formatCount(sumOf(errors)),
    formatSeconds(quantile(waits, 0.99)),
    ...[0.5, 0.95, 0.99].map((q) => formatSeconds(quantile(tokens, q))),
    recovered,
  ];
}

function line(texts: readonly string[]): string {
  return texts.map((text, i) => (i === 0 ? text.padEnd(WIDTHS[0]) : text.padStart(WIDTHS[i] ?? 0))).join('');
}

/** Empty if the server itself verifies passwords. */
function tokens({ tokensAccepted, tokensRejected }: GateStats): string[] {
  if (tokensAccepted + tokensRejected === 0) return [];
  return [`tokens: ${formatCount(tokensAccepted)} accepted by the server, ${tokensRejected} rejected`];
}

function tokenFault({ tokensRejected, lastRejectReason }: GateStats): string | undefined {
  if (tokensRejected === 0) return undefined;
  return `the server rejected a token: ${lastRejectReason ?? 'it did not say why'}`;
}

function verdict(report: Report): string {
  if (isGood(report)) return 'The pool recovered from every phase.';
  const whole =
    report.results.length === PHASES.length && !report.results.some(({ interrupted }) => interrupted);
  return whole ? 'The pool did NOT recover from every phase.' : 'Ended before every phase had run.';
}
