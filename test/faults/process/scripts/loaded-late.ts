import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { PoolClient } from 'pg';

// Loads the package during its first request, as a lazy import or a bundler does, and prints in which request's context
// later code runs.
const requests = new AsyncLocalStorage<string>();
const seen: Record<string, string | undefined> = {};
const see = (where: string): void => void (seen[where] = requests.getStore() ?? 'none');

const { pool, say } = await requests.run('first', async () => {
  const { childPool, say } = await import('../../../support/scripts/child-pool.js');
  const options = { afterConnect: () => see('afterConnect'), resetSession: () => see('resetSession') };
  const pool = await childPool({ maxOpenConns: 1 }, options);
  pool.on('connect', (client: PoolClient) => {
    see('connect');
    client.on('notice', () => see('socket'));
  });
  return { pool, say };
});
await requests.run('second', async () => {
  const client = await pool.connect();
  const noticed = once(client, 'notice');
  await client.query(`do $$ begin raise notice 'here'; end $$`);
  await noticed;
  client.release();
});
await pool.end();
say(JSON.stringify(seen));
