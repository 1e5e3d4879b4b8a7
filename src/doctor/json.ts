import { outcomesOf, type Findings } from './each-host.js';
import { hostKind, type Choice } from './host-choice.js';
import { exitCode, type Report, type StepResult } from './report.js';

/** The version of the shape below: it changes when a field is removed or its meaning changes, not when one is added. */
const SCHEMA = 1;

/** The report for machines, as `docs/doctor.md` describes it. */
export function jsonReport(findings: Findings, version: string, exampleCode?: string): object {
  const { startedAt, durationMs, reports, choice } = findings;
  const outcomes = outcomesOf(findings);
  const code = exitCode(outcomes);
  const main = reports[choice?.at ?? 0];
  return {
    schema: SCHEMA,
    pgauge: version,
    node: process.versions.node,
    started_at: startedAt.toJSON(),
    duration_ms: tenths(durationMs),
    outcome: code === 1 ? 'failed' : outcomes.some(({ status }) => status === 'warning') ? 'warning' : 'ok',
    exit_code: code,
    target: main?.target,
    steps: main?.steps.map(jsonStep),
    example_code: exampleCode ?? null,
    ...(choice !== undefined && { choice: jsonChoice(choice), hosts: reports.map(jsonHost) }),
  };
}

function jsonChoice({ wanted, at, outcome: { status, code, found, remedy } }: Choice): object {
  return { target_session_attrs: wanted, host: at ?? null, status, code, found, remedy: remedy ?? null };
}

function jsonHost(report: Report): object {
  const { target, steps } = report;
  const kind = hostKind(report);
  return {
    host: target['host'],
    port: target['port'],
    kind: kind === undefined ? null : kind.standby ? 'standby' : 'primary',
    read_only: kind?.readOnly ?? null,
    steps: steps.map(jsonStep),
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

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
