import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { LocalRds } from '../../../../local-rds/index.js';
import { runScript, type Child } from '../../../../test/support/child.js';
import { startServer, type Server } from '../../server.js';

const APP_TIMEOUT_MS = 60_000;
const MEASURED = `--import tsx --import ${new URL('queries.ts', import.meta.url).href}`;

/** The report of an example, with the count of its queries by summary and, for failed ones, `error.type`. */
export type Report = Readonly<Record<string, unknown>> & {
  readonly queries: Readonly<Record<string, number>>;
};

/** A server that requires tokens, and functions to run an example on it. */
export interface Place {
  readonly rds: () => LocalRds;
  /** Runs SQL in the examples' database as superuser, bypassing the gate. */
  readonly query: (sql: string) => Promise<unknown[]>;
  /** The environment of an example. */
  readonly env: () => Readonly<Record<string, string>>;
  /** Starts an example in a process. */
  readonly start: (file: string, more?: Record<string, string>) => Child;
  /** Runs an example, which must succeed, with query metrics; resolves with its report. */
  readonly run: (file: string) => Promise<Report>;
}

/** Starts a server for the calling file's tests, migrated by the migration example; each test gets fresh tables. */
export function usePlace(): Place {
  let started: Server | undefined;
  const server = (): Server => {
    if (!started) throw new Error('the server of this file is not running yet');
    return started;
  };
  const rds = (): LocalRds => server().rds;
  const env = (): Readonly<Record<string, string>> => ({ ...server().env, PGAUGE_LOG_LEVEL: 'error' });
  const query = async (sql: string): Promise<unknown[]> =>
    (await rds().postgres.query(sql, undefined, rds().database)).rows;
  const start = (file: string, more: Record<string, string> = {}): Child =>
    runScript(new URL(`../../${file}`, import.meta.url), [], {
      env: { ...env(), ...more },
      timeoutMs: APP_TIMEOUT_MS,
    });
  const run = async (file: string): Promise<Report> => {
    const { code, signal, lines, stderr } = await start(file, { NODE_OPTIONS: MEASURED }).result;
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const [report = '', queries = ''] = lines.slice(-2);
    return { ...(JSON.parse(report) as object), queries: JSON.parse(queries) as Report['queries'] };
  };

  beforeAll(async () => {
    started = await startServer();
    await run('node-pg-migrate/main.ts');
  });
  afterAll(() => started?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await query("truncate transfer, account; insert into account values ('ada', 100), ('bob', 0)");
  });
  return { rds, query, env, start, run };
}

/** The number of accepted tokens: one for every physical connection. */
export const logins = (rds: LocalRds): number => rds.gate.stats().tokensAccepted;
