import { setTimeout as sleep } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import type pg from 'pg';
import type { Client } from 'pg';

/** Whether the caller's span was active in each callback. */
export type ActiveInCallback = Record<string, boolean>;

const tracer = trace.getTracer('app');

/** Runs `work` as a separate request: in a root span with that name and no other descendants. */
async function request(name: string, work: () => Promise<unknown>): Promise<void> {
  await tracer.startActiveSpan(name, { root: true }, async (span) => {
    try {
      await work();
    } catch {
      // The test checks the telemetry of it.
    } finally {
      span.end();
    }
  });
}

const isActive = (name: string): boolean =>
  (trace.getActiveSpan() as { name?: string } | undefined)?.name === name;

/** What an app does with the pool under test, which has one connection; one request for each form of query. */
export async function useOurs(pool: pg.Pool, active: ActiveInCallback): Promise<void> {
  const byCallback = (name: string) => () =>
    new Promise<void>((resolve, reject) => {
      pool.query('select 1', (error) => {
        active[name] = isActive(name);
        // pg's types claim that there is always an error.
        if (error as Error | undefined) reject(error);
        else resolve();
      });
    });

  await request('a new connection', () => pool.query('select 1'));
  await request('promise', () => pool.query('select 1'));
  await request('callback', byCallback('callback'));
  await request('failing', () => pool.query('select 1/0'));
  await request('transaction', async () => {
    const client = await pool.connect();
    await client.query('begin');
    await client.query('commit');
    client.release();
  });

  // All of these wait for the client of the first.
  let holder: pg.PoolClient | undefined;
  await request('holder', async () => {
    holder = await pool.connect();
  });
  const queued = [
    request('queued promise', () => pool.query('select 1')),
    request('queued callback', byCallback('queued callback')),
    request('queued connect', async () => {
      const client = await pool.connect();
      await client.query('select 1');
      client.release();
    }),
    request(
      'queued connect callback',
      () =>
        new Promise<void>((resolve) => {
          pool.connect((error, client, done) => {
            active['queued connect callback'] = isActive('queued connect callback');
            if (error !== undefined || client === undefined) {
              resolve();
              return;
            }
            client.query('select 1', () => {
              done();
              resolve();
            });
          });
        }),
    ),
  ];
  await request('releaser', async () => {
    await sleep(20);
    holder?.release();
  });
  await Promise.all(queued);

  // Long enough for a ping before the next hand-over.
  await sleep(1_100);
  await request('after a pause', () => pool.query('select 1'));
}

/** What an app does with its own pool or client. */
export async function usePlain(plain: pg.Pool, client: Client): Promise<void> {
  await request('plain', async () => {
    await plain.query('select 1');
    const held = await plain.connect();
    await held.query('select 2');
    held.release();
  });
  await request('client', async () => {
    await client.connect();
    await client.query('select 3');
    await client.end();
  });
}
