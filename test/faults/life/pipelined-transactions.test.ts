import { expect, test } from 'vitest';
import { canPipeline } from '../../../src/connection/driver.js';
import { useFakeServer } from '../../support/fake-server.js';
import { PlayedPostgres, type TransactionState } from '../../support/played-postgres.js';
import { usePools } from '../../support/pools.js';
import { rejection, until } from '../../support/until.js';

const server = useFakeServer();
const makePool = usePools(() => ({ user: 'u', password: 'p', database: 'd' }));

const LEFT_OPEN = 'select left_open($1)';
const BEHIND = 'insert into behind values ($1)';
const QUEUED = 'insert into queued values ($1)';
const DEPTH = 4;

/** A pool with one connection to a server whose function leaves a transaction open, and the texts sent to it. */
async function playedPool(state: TransactionState) {
  const postgres = new PlayedPostgres((text) => (text === LEFT_OPEN ? state : 'I'));
  server.reply = postgres.reply;
  const pool = await makePool(server, { maxOpenConns: 1 }, { pipelining: { depth: DEPTH } });
  await pool.query('select $1', [0]);
  const first = rejection(pool.query(LEFT_OPEN, [1]));
  const behind = [2, 3, 4].map((n) => rejection(pool.query(BEHIND, [n])));
  const queued = [5, 6].map((n) => pool.query(QUEUED, [n]));
  expect(pool.waitingCount).toBe(2);
  const times = (text: string): number => postgres.texts.filter((one) => one === text).length;
  return { pool, first, behind, queued, times };
}

test.runIf(canPipeline()).each([
  ['succeeds and leaves its transaction open', 'T', { code: 'ERR_PGAUGE_OPEN_TRANSACTION' }],
  ['fails in a transaction that stays open', 'E', { code: '22012' }],
] as const)(
  'a shared query that %s: its connection is closed, queries behind it reject as unknown and are not sent again, queued ones run on another connection',
  async (_what, state, own) => {
    const { pool, first, behind, queued, times } = await playedPool(state);
    expect(await first).toMatchObject(own);
    for (const error of await Promise.all(behind)) {
      expect(error).toMatchObject({ code: 'ERR_PGAUGE_OUTCOME_UNKNOWN' });
    }
    for (const { rows } of await Promise.all(queued)) expect(rows).toEqual([]);
    expect([LEFT_OPEN, BEHIND, QUEUED].map(times)).toEqual([1, 3, 2]);
    expect(server.sessions).toHaveLength(2);
    expect(pool.log.closeReasons).toEqual(['tx_open']);
    await until('the first is closed', () => server.sessions[0]?.closed === true);
    expect(pool.stat()).toMatchObject({ totalConns: 1, acquiredConns: 0, idleConns: 1 });
    expect(pool.gauges.pipelined).toBe(0);
  },
);
