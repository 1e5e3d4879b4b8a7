import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type pg from 'pg';
import { QueryTimeoutError, type InstrumentedClient, type InstrumentedPool } from '../../src/index.js';

/** One query of a race: how long it takes, when it is stopped, and what follows on the same client. */
interface Racer {
  /** Milliseconds after the start of the race at which it is called. */
  readonly startMs: number;
  readonly runsMs: number;
  /** Milliseconds after its call at which it is stopped. */
  readonly stopMs: number;
  readonly stop: 'no' | 'signal' | 'limit' | 'signal and limit';
  readonly on: 'pool' | 'client' | 'transaction';
  readonly extended: boolean;
}

/** Queries that are stopped while others run on the same few connections. */
export const races: fc.Arbitrary<Racer[]> = fc.array(
  fc.record({
    startMs: fc.nat(30),
    runsMs: fc.nat(20),
    stopMs: fc.nat(25),
    stop: fc.constantFrom('no', 'no', 'signal', 'signal', 'limit', 'signal and limit'),
    on: fc.constantFrom('pool', 'pool', 'client', 'transaction'),
    extended: fc.boolean(),
  }),
  { minLength: 5, maxLength: 40 },
);

/** Runs a race; throws when a query received another query's answer or cancel. */
export async function race(pool: InstrumentedPool, racers: readonly Racer[]): Promise<void> {
  await Promise.all(racers.map((racer, token) => runRacer(pool, racer, token + 1)));
}

async function runRacer(pool: InstrumentedPool, racer: Racer, token: number): Promise<void> {
  await sleep(racer.startMs);
  if (racer.on === 'pool') {
    await stopped(pool, racer, token);
    return;
  }
  const client = await pool.connect();
  const inTransaction = racer.on === 'transaction';
  if (inTransaction) await client.query('begin');
  const answered = await stopped(client, racer, token);
  if (inTransaction) {
    const failed = await client.query('select 1').then(
      () => false,
      (error: unknown) => (error as { code?: string }).code === '25P02',
    );
    // A query stopped at the moment of its answer has left the transaction unchanged.
    if (answered && failed) throw new Error(`query ${token} succeeded, and its transaction was aborted`);
    await client.query('rollback');
  }
  await unharmed(client, token);
  client.release();
}

/** Runs and stops the query of a racer; returns whether it was answered. */
async function stopped(
  runner: InstrumentedPool | InstrumentedClient,
  racer: Racer,
  token: number,
): Promise<boolean> {
  const { runsMs, stopMs, stop, extended } = racer;
  const reason = new Error(`query ${token} is stopped`);
  const controller = new AbortController();
  if (stop.startsWith('signal')) setTimeout(() => controller.abort(reason), stopMs);
  const config: pg.QueryConfig & { signal?: AbortSignal; timeoutMs?: number } = {
    ...(extended
      ? { text: 'select pg_sleep($1), $2::int as token', values: [runsMs / 1_000, token] }
      : { text: `select pg_sleep(${runsMs / 1_000}), ${token} as token` }),
    ...(stop.startsWith('signal') && { signal: controller.signal }),
    ...(stop.endsWith('limit') && { timeoutMs: stopMs + 1 }),
  };
  try {
    const { rows } = await runner.query<{ token: number }>(config);
    if (rows[0]?.token !== token) throw new Error(`query ${token} got the answer ${rows[0]?.token}`);
    return true;
  } catch (error) {
    const own = stop !== 'no' && (error === reason || error instanceof QueryTimeoutError);
    if (!own) throw new Error(`query ${token} (${stop}) failed`, { cause: error });
    return false;
  }
}

/** Checks that the next query on the same client is not canceled by an earlier stop. */
async function unharmed(client: InstrumentedClient, token: number): Promise<void> {
  const { rows } = await client.query<{ token: number }>('select pg_sleep(0.002), $1::int as token', [
    -token,
  ]);
  if (rows[0]?.token !== -token) throw new Error(`the query after ${token} got the answer ${rows[0]?.token}`);
}
