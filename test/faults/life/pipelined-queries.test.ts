import { expect, test } from 'vitest';
import { canPipeline } from '../../../src/connection/driver.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { errorClass } from '../../support/error-class.js';

const server = usePostgres();
const makePool = usePools(server);

const QUERIES = 6_000;
const WORKERS = 60;
/** The number of queries after which a session is killed. */
const KILL_EVERY = 300;

const APPLICATION = 'pipelines';
/** Kills a session of the pool, but none that is killing another. */
const KILL_ONE = `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
  where application_name = '${APPLICATION}' order by random() limit 1) chosen`;

test.runIf(canPipeline())(
  'while sessions are killed, pipelined queries settle once with their own answers; no acknowledged write is lost and none is sent twice',
  async () => {
    await server().query('create table pipelined (id int)');
    const pool = await makePool(
      server(),
      { maxOpenConns: 4 },
      { pg: { application_name: APPLICATION }, pipelining: { depth: 16, texts: true } },
    );
    const wrong: number[] = [];
    const acknowledged: number[] = [];
    const failures = new Map<string, number>();
    let last = 0;

    const isOwn = ({ rows }: { rows: { n?: number }[] }, id: number): void => {
      if (rows[0]?.n !== id) wrong.push(id);
    };
    const own = async (id: number): Promise<void> => {
      const client = await pool.connect();
      try {
        await client.query('begin');
        isOwn(await client.query('select $1::int as n', [id]), id);
        await client.query('commit');
        client.release();
      } catch (error) {
        client.release(error as Error);
        throw error;
      }
    };
    const kinds: readonly ((id: number) => Promise<void>)[] = [
      own,
      async (id) => {
        await pool.query('insert into pipelined values ($1)', [id]);
        acknowledged.push(id);
      },
      async (id) =>
        isOwn(await pool.query({ name: `s${id % 3}`, text: 'select $1::int as n', values: [id] }), id),
      async (id) => isOwn(await pool.query('select pg_sleep(0.002), $1::int as n', [id]), id),
      async (id) => isOwn(await pool.query(`select ${id} as n`), id),
      async (id) => isOwn(await pool.query('select 1 / ($1::int % 3), $1::int as n', [id]), id),
      async (id) => isOwn(await pool.query('select $1::int as n', [id]), id),
    ];
    const worker = async (): Promise<void> => {
      while (last < QUERIES) {
        const id = (last += 1);
        if (id % KILL_EVERY === 0) {
          await server().query(KILL_ONE);
        }
        await kinds[id % kinds.length]?.(id).catch((error: unknown) => {
          const code = (error as { code?: string }).code ?? errorClass(error) ?? String(error);
          failures.set(code, (failures.get(code) ?? 0) + 1);
        });
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));

    expect(wrong).toEqual([]);
    // Divisions by zero are deliberate; all other errors come from the sessions that were killed.
    const lost = ['57P01', 'ECONNRESET', 'EPIPE', 'Connection terminated unexpectedly'];
    const known = ['22012', 'ERR_PGAUGE_OUTCOME_UNKNOWN', ...lost];
    expect([...failures.keys()].filter((code) => !known.includes(code))).toEqual([]);
    expect(failures.get('ERR_PGAUGE_OUTCOME_UNKNOWN')).toBeGreaterThan(0);
    expect(failures.get('22012')).toBeGreaterThan(0);
    const { rows } = await server().query<{ id: number; n: number }>(
      'select id, count(*)::int as n from pipelined group by id',
    );
    expect(rows.filter(({ n }) => n > 1)).toEqual([]);
    const written = new Set(rows.map(({ id }) => id));
    expect(acknowledged.filter((id) => !written.has(id))).toEqual([]);
    expect(pool.stat()).toMatchObject({ acquiredConns: 0 });
  },
);
