// A query with a value, as many at a time as the concurrency says: CPU time of the client and wall time, for each query.
import pg from 'pg';
import { spentOn } from './clock.js';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Contender, Prepare, Settings } from './program.js';

interface Target {
  query(text: string, values: unknown[]): Promise<unknown>;
  end(): Promise<unknown>;
}

/** pg's own clients that pipeline, by turns: no pool, no queue, no telemetry. */
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
  const { queries = 0, warmUp = 0 } = settings.size;
  const target = await open(contender, max, settings);
  const work = async (total: number): Promise<void> => {
    let left = total;
    const loop = async (): Promise<void> => {
      while (left-- > 0) await target.query('select $1::int', [1]);
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
  };
  await work(warmUp);
  return {
    async run() {
      const { cpuMs, wallMs } = await spentOn(() => work(queries));
      return { cpuUs: (cpuMs * 1000) / queries, wallUs: (wallMs * 1000) / queries };
    },
    async end() {
      await target.end();
    },
  };
};
