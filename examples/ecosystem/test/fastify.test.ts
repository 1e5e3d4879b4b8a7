import pg from 'pg';
import { expect, test } from 'vitest';
import { accepts } from '../../../test/support/listening.js';
import { until } from '../../../test/support/until.js';
import { usePlace } from './support/place.js';

const { rds, query, start } = usePlace();
/** More than the pool has connections, so that some requests wait for one. */
const REQUESTS = 25;

/** Blocks every request until the returned function is called. */
async function holdUp(): Promise<() => Promise<void>> {
  const { socketDir: host, port, user, password } = rds().postgres;
  const client = new pg.Client({ host, port, user, password, database: rds().database, ssl: false });
  await client.connect();
  await client.query('begin; lock table account');
  return () => client.end();
}

const sessions = (condition = 'true'): Promise<unknown[]> =>
  query(`select pid from pg_stat_activity where usename = '${rds().user}' and ${condition}`);

async function visit(url: string): Promise<number> {
  const response = await fetch(`${url}/visits`, { method: 'POST' });
  await response.text();
  return response.status;
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  'Fastify answers requests in progress on %s, accepts no new ones, and exits with the pool ended',
  async (signal) => {
    const app = start('fastify/main.ts', { PORT: '0' });
    const url = await app.line('http://');
    expect(await visit(url)).toBe(200);
    const letGo = await holdUp();
    const underWay = Array.from({ length: REQUESTS }, () => visit(url));
    await until('the pool is busy', async () => (await sessions("wait_event_type = 'Lock'")).length === 5);
    app.kill(signal);
    const { hostname: host, port } = new URL(url);
    await until('nothing new is taken', async () => !(await accepts({ host, port: Number(port) })));
    await letGo();
    expect(await Promise.all(underWay)).toEqual(Array(REQUESTS).fill(200));
    const { code, signal: killedBy, stderr } = await app.result;
    expect({ code, killedBy, stderr }).toEqual({ code: 0, killedBy: null, stderr: '' });
    await until('no session is left', async () => (await sessions()).length === 0);
    expect(await query("select balance from account where owner = 'bob'")).toEqual([
      { balance: REQUESTS + 1 },
    ]);
  },
);
