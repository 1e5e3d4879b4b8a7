import { setTimeout as sleep } from 'node:timers/promises';
import { newPool, type Config } from '../../src/index.js';
import type { ServerProcess } from './server-process.js';

/** The pool's maximum, and how many callers acquire at a time. */
const MAX = 20;
const ACQUIRERS = 60;
const SETTLED_AFTER_MS = 2_500;

/** The most concurrent logins of a pool, as counted by the server, after the server restarts under load. */
export async function loginsAtATime(
  server: ServerProcess,
  { config, ca }: { readonly config: Config; readonly ca: string },
  maxConnecting: number | undefined,
): Promise<number> {
  await using pool = await newPool(
    { ...config, maxOpenConns: MAX },
    { ssl: { ca }, maxConnecting, logger: SILENT },
  );
  let stopped = false;
  const acquirers = Array.from({ length: ACQUIRERS }, async () => {
    // A query that fails during the restart is retried, as an application would.
    while (!stopped) await pool.query('select pg_sleep(0.02)').catch(() => sleep(5));
  });
  await sleep(500);
  await server.ask('storm');
  await sleep(SETTLED_AFTER_MS);
  const peak = await server.ask('stormPeak');
  stopped = true;
  await Promise.all(acquirers);
  return peak;
}

const noop = (): void => undefined;

/** A logger that discards all records. */
export const SILENT = { debug: noop, info: noop, warn: noop };
