// A query with a value, at a fixed concurrency: CPU time of the client and wall time per query.
import pg from 'pg';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Contender, Prepare, Settings } from './program.js';
import { queryLoad } from './query-load.js';

interface Target {
  query(text: string, values: unknown[]): Promise<unknown>;
  end(): Promise<unknown>;
}

/** pg's own pipelining clients in rotation: no pool, no queue, no telemetry. */
async function clients({ plain }: Settings, count: number): Promise<Target> {
  const made = Array.from({ length: count }, () => new pg.Client({ ...plain, ssl: false, pipeline: true }));
  await Promise.all(made.map((client) => client.connect()));
  let turn = 0;
  return {
    query: (text, values) => (made[(turn += 1) % count] as pg.Client).query(text, values),
    end: () => Promise.all(made.map((client) => client.end())),
  };
}

async function open(contender: Contender, max: number, settings: Settings): Promise<Target> {
  if (contender === 'pipelined clients') return await clients(settings, max);
  const pool = await openPool(contender, plainPool(settings, max));
  await fill(pool, max);
  return pool;
}

export const prepare: Prepare = async (contender, { concurrency = 1, max = 1 }, settings) => {
  const target = await open(contender, max, settings);
  return {
    run: await queryLoad(() => target.query('select $1::int', [1]), concurrency, settings),
    async end() {
      await target.end();
    },
  };
};
