import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { rejection, until } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { holdInRecovery } from '../support/recovery.js';
import { useWatchedPools } from '../support/watched-pools.js';

const server = useFaultServer({ max_connections: '8', superuser_reserved_connections: '0' });
const makePool = useWatchedPools(server);

/** Puts the server into a state in which it accepts no login; returns a function that ends the state. */
type Fault = () => Promise<() => Promise<unknown>>;

const stopped: Fault = async () => {
  await server().stop({ keepData: true });
  return () => server().start();
};

/** Takes all of the server's connections. */
const full: Fault = async () => {
  const clients: pg.Client[] = [];
  for (;;) {
    const { socketDir: host, port, user, password, database } = server();
    const client = new pg.Client({ host, port, user, password, database, ssl: false });
    client.on('error', () => undefined);
    const error = await client.connect().then(
      () => undefined,
      (failure: unknown) => failure as { code?: string },
    );
    if (error?.code === '53300') return () => Promise.all(clients.map((taken) => taken.end()));
    if (error !== undefined) throw new Error('the server cannot be filled', { cause: error });
    clients.push(client);
  }
};

const FAULTS: [string, string, RegExp, Fault][] = [
  ['is starting up', '57P03', /starting up/, () => holdInRecovery(server())],
  ['is down', 'ECONNREFUSED', /ECONNREFUSED/, stopped],
  ['is full', '53300', /too many clients/, full],
];

describe.each(FAULTS)('a server that %s', (_how, code, text, begin) => {
  test('rejects each query with its code after one attempt, and queries work once the server does', async () => {
    const pool = await makePool(server(), { maxOpenConns: 3 });
    const end = await begin();
    const before = pool.socketsDialled();
    const calls = Array.from({ length: 8 }, () => rejection(pool.query(unique('select 1'))));
    for (const error of await Promise.all(calls)) {
      expect(error.code).toBe(code);
      expect(error.message).toMatch(text);
    }
    expect(pool.socketsDialled() - before).toBe(8);
    expect(pool.totalCount).toBe(0);
    expect(pool.log.named('postgres connect failed')).toMatchObject([{ fields: { error_type: code } }]);
    await sleep(400);
    // No acquire waits, so no connection is dialled.
    expect(pool.socketsDialled() - before).toBe(8);
    await end();
    await pool.keepsTheRules(code === 'ECONNREFUSED' ? {} : { server_closed: 8 });
  });

  test('is dialled with pauses by a pool that fills its minimum, which is filled afterwards', async () => {
    const end = await begin();
    const pool = await makePool(server(), { maxOpenConns: 3, minConns: 2 });
    expect((await rejection(pool.query(unique('select 1')))).code).toBe(code);
    await sleep(1_500);
    // As in outage.test.ts, which allows forty dials in four seconds for three connections.
    expect(pool.socketsDialled()).toBeLessThanOrEqual(20);
    await end();
    await until('the minimum is there', () => pool.idleCount === 2);
    // A server that is starting up may report that before it accepts logins.
    await pool.keepsTheRules({ server_closed: code === 'ECONNREFUSED' ? 'any' : 'some' });
  });
});
