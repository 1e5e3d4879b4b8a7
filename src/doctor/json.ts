import { exitCode, type Report, type Status, type StepResult } from './report.js';

/** The version of the shape below: it changes when a field changes its meaning or goes, not when one is added. */
const SCHEMA = 1;

/** The report for machines, as `docs/doctor.md` describes it. */
export function jsonReport(report: Report, version: string): object {
  const code = exitCode(report.steps);
  return {
    schema: SCHEMA,
    pgauge: version,
    node: process.versions.node,
    started_at: report.startedAt.toJSON(),
    duration_ms: tenths(report.durationMs),
    outcome: code === 1 ? 'failed' : has(report, 'warning') ? 'warning' : 'ok',
    exit_code: code,
    target: report.target,
    steps: report.steps.map(jsonStep),
  };
}

function jsonStep({ id, status, code, found, remedy, because, durationMs, facts }: StepResult): object {
  return {
    id,
    status,
    code,
    found,
    remedy: remedy ?? null,
    because: because ?? null,
    duration_ms: tenths(durationMs),
    facts: facts ?? {},
  };
}

function has({ steps }: Report, status: Status): boolean {
  return steps.some((step) => step.status === status);
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
