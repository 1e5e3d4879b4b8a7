import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { runScript } from '../../support/child.js';
import { expectDocumented } from './documented.js';

/** The tool's program. */
export const MAIN = new URL('../../../src/cli/main.ts', import.meta.url);

// A test starts at least two processes, each of which loads the driver and the AWS SDK.
vi.setConfig({ testTimeout: 240_000 });

/** A step of the JSON report. */
export interface JsonStep {
  readonly id: string;
  readonly status: string;
  readonly code: string;
  readonly found: string;
  readonly remedy: string | null;
  readonly because: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The tool's output for one set-up, run twice: once as a table and once as JSON. */
export interface Diagnosis {
  readonly exitCode: number | null;
  /** The table, and the same without its line breaks. */
  readonly table: string;
  readonly flatTable: string;
  readonly json: {
    readonly outcome: string;
    readonly exit_code: number;
    readonly target: Readonly<Record<string, unknown>>;
    readonly steps: readonly JsonStep[];
    readonly example_code: string | null;
  };
  step(id: string): JsonStep;
  /** The ids of the steps that failed. */
  readonly failed: readonly string[];
}

/** A set-up to be checked. */
export interface SetUp {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Texts that must not appear anywhere. */
  readonly secrets?: readonly string[];
}

/**
 * Runs the tool twice as a separate process, with an empty home and only the given variables, and checks that both
 * reports have the same verdict.
 */
export async function diagnose({ args = [], env = {}, secrets = [] }: SetUp): Promise<Diagnosis> {
  const [table, machine] = await Promise.all([runDoctor(args, env), runDoctor([...args, '--json'], env)]);
  for (const { stdout, stderr } of [table, machine]) {
    expect(stderr).toBe('');
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(3);
      expect(stdout).not.toContain(secret);
      expect(stdout).not.toContain(encodeURIComponent(secret));
    }
    // Nor may a signature or a session of any kind appear.
    expect(stdout).not.toMatch(/X-Amz-|[0-9a-f]{64}/);
  }
  const json = JSON.parse(machine.stdout) as Diagnosis['json'];
  const code = json.example_code ?? '';
  expect(code === '').toBe(machine.code !== 0);
  expect(table.stdout.endsWith(code)).toBe(true);
  const report = table.stdout.slice(0, table.stdout.length - code.length);
  expect(Math.max(...report.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(table.code).toBe(machine.code);
  expect(json.exit_code).toBe(machine.code);
  expectDocumented(json);
  return {
    exitCode: machine.code,
    table: table.stdout,
    flatTable: table.stdout.replace(/\s+/g, ' '),
    json,
    step: (id) => {
      const found = json.steps.find((step) => step.id === id);
      if (found === undefined) throw new Error(`the report has no step ${id}`);
      return found;
    },
    failed: json.steps.filter(({ status }) => status === 'failed').map(({ id }) => id),
  };
}

/** Runs the tool once. */
export async function runDoctor(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  return await runTool(['doctor', ...args], env);
}

/** Runs the tool's program with any arguments; it must end by itself. */
export async function runTool(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, signal, lines, stderr } = await runScript(MAIN, args, {
    env: { ...emptyHome(), ...env },
    timeoutMs: 100_000,
  }).result;
  expect(signal, stderr).toBeNull();
  return { code, stdout: lines.join('\n'), stderr };
}

/**
 * Runs the code at the end of a report, and one query through its pool; returns the user's name as the server sees it.
 */
export async function runExampleCode(
  { json }: Diagnosis,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const home = emptyHome();
  const program = join(home['HOME'] ?? '', 'example.mts');
  const source = new URL('../../../src/index.ts', import.meta.url).href;
  const query =
    "console.log((await pool.query('select current_user')).rows[0].current_user);\nawait pool.end();\n";
  writeFileSync(program, `${(json.example_code ?? '').replace("'pgauge'", `'${source}'`)}\n${query}`);
  const { code, lines, stderr } = await runScript(new URL(`file://${program}`), [], {
    env: { ...home, ...env },
  }).result;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return lines.join('\n');
}

/** Variables for an empty home without a metadata service; the folder is removed after the test. */
export function emptyHome(): Record<string, string> {
  const home = mkdtempSync(join(tmpdir(), 'pgauge-doctor-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return {
    HOME: home,
    AWS_CONFIG_FILE: join(home, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(home, 'credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Expects that a step failed in text and code, that both reports have the remedy, and that the exit code shows it. */
export function expectFailure(diagnosis: Diagnosis, id: string, code: string, remedy: string): void {
  const step = diagnosis.step(id);
  expect({ status: step.status, code: step.code }).toEqual({ status: 'failed', code });
  expect(step.remedy).toContain(remedy);
  expect(diagnosis.flatTable).toContain(remedy);
  expect(diagnosis.table).toMatch(/^✗ /m);
  expect(diagnosis.exitCode).toBe(1);
  expect(diagnosis.json.outcome).toBe('failed');
}

/** Expects that a step warns in text and code, and that a warning alone is not a failure. */
export function expectWarning(diagnosis: Diagnosis, id: string, code: string, remedy: string): void {
  const step = diagnosis.step(id);
  expect({ status: step.status, code: step.code }).toEqual({ status: 'warning', code });
  expect(step.remedy).toContain(remedy);
  expect(diagnosis.flatTable).toContain(remedy);
  if (diagnosis.failed.length === 0) {
    expect(diagnosis.exitCode).toBe(0);
    expect(diagnosis.json.outcome).toBe('warning');
  }
}

/** Arguments that log into a stand-in with tokens and verify its certificate. */
export function iamArgs(rds: {
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly region: string;
  readonly caFile: string;
}): string[] {
  const { port, user, database, region, caFile } = rds;
  return [
    ...['--host', 'localhost', '--port', String(port), '--user', user, '--database', database],
    ...['--region', region, '--ssl-mode', 'verify-full', '--ca', caFile],
  ];
}
