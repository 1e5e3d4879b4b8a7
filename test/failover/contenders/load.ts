import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { tell } from './events.js';
import type { Place } from './place.js';

const WORKERS = 4;
const THINK_MS = 50;
/** How long a caller waits before it retries a failed acquire, as retry libraries do by default. */
const RETRY_MS = 100;

/** Reads and writes through a pool until SIGTERM, and reports each outcome; no query is sent twice. */
export async function load(pool: Pick<Pool, 'connect' | 'on'>, { contender }: Place): Promise<void> {
  let stopped = false as boolean;
  process.once('SIGTERM', () => (stopped = true));
  // A pool that loses an idle connection must not end the process.
  pool.on('error', () => undefined);
  let lastId = 0;

  const acquired = async (): Promise<PoolClient | undefined> => {
    try {
      return await pool.connect();
    } catch (error) {
      tell('no-connection', codeOf(error));
      await sleep(RETRY_MS);
      return undefined;
    }
  };

  const use = async (client: PoolClient, writes: boolean): Promise<void> => {
    const id = writes ? (lastId += 1) : undefined;
    // A lost client emits an error while its query rejects.
    client.on('error', ignore);
    try {
      if (id === undefined) await client.query('select count(*) from written where id < 0');
      else await client.query('insert into written (contender, id) values ($1, $2)', [contender, id]);
      client.off('error', ignore);
      client.release();
      if (id === undefined) tell('read');
      else tell('acked', id);
    } catch (error) {
      tell('failed', codeOf(error), id ?? '-');
      client.release(error as Error);
    }
  };

  const worker = async (n: number): Promise<void> => {
    for (let turn = n; !stopped; turn += 1) {
      const client = await acquired();
      if (client) await use(client, turn % 2 === 0);
      await sleep(THINK_MS);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, (_, n) => worker(n)));
}

const ignore = (): void => undefined;

/** A single word for an error. */
function codeOf(error: unknown): string {
  const { code, message = '' } = error as { code?: string; message?: string };
  return code ?? message.replaceAll(/\s+/g, '_');
}
