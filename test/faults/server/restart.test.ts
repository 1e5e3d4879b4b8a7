import { beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { useWatchedPools } from '../support/watched-pools.js';

const server = useFaultServer();
const makePool = useWatchedPools(server);

/** Ways in which a server goes down and comes back on the same address. */
const DEPARTURES: [string, () => Promise<void>][] = [
  ['is restarted', () => server().restart()],
  ['is restarted in immediate mode', () => server().restart({ mode: 'immediate' })],
  [
    'is killed and started again',
    async () => {
      await server().kill();
      await server().start();
    },
  ],
];

beforeAll(() => server().query('create table deeds (id int)'));

describe.each(DEPARTURES)('a server that %s', (_how, goAndComeBack) => {
  test('while clients are idle: the next query works', async () => {
    const pool = await makePool(server(), { maxOpenConns: 3 });
    const clients = await Promise.all(Array.from({ length: 3 }, () => pool.connect()));
    for (const client of clients) client.release();
    await goAndComeBack();
    await pool.keepsTheRules({ server_closed: 'any', network: 'any' });
    expect(pool.log.closeReasons.filter((reason) => reason !== 'pool_end')).toHaveLength(3);
  });

  test('under load: every query settles, the maximum holds, and no statement runs twice', async () => {
    await server().query('truncate deeds');
    const pool = await makePool(server(), { maxOpenConns: 10 });
    const startedAt = performance.now();
    const deeds = Array.from({ length: 1_000 }, (_, id) =>
      pool.query(`insert into deeds select ${id} from pg_sleep(0.005)`),
    );
    const settled = Promise.allSettled(deeds);
    await until('the load runs', () => pool.stat().acquireCount > 100);
    await goAndComeBack();
    const outcomes = await settled;
    // Waiting acquires are rejected at the acquire timeout, 30 s.
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    const { rows } = await server().query<{ id: number; n: number }>(
      'select id, count(*)::int as n from deeds group by id',
    );
    expect(rows.filter(({ n }) => n > 1)).toEqual([]);
    const done = new Set(rows.map(({ id }) => id));
    const promised = outcomes.flatMap(({ status }, id) => (status === 'fulfilled' ? [id] : []));
    expect(promised.filter((id) => !done.has(id))).toEqual([]);
    expect(promised.length).toBeGreaterThan(0);
    expect(promised.length).toBeLessThan(1_000);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Error);
    }
    expect(pool.waitingCount).toBe(0);
    await pool.keepsTheRules({ server_closed: 'any', network: 'any' });
  });
});

describe('a server that is down when the pool is created', () => {
  test('is reported by the first query, and used once it is up', async () => {
    await server().stop({ keepData: true });
    const pool = await makePool(server());
    const [outcome] = await Promise.allSettled([pool.query(unique('select 1'))]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ECONNREFUSED' } });
    await server().start();
    await pool.keepsTheRules({});
  });
});
