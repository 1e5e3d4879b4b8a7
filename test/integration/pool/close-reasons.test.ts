import { afterEach, describe, expect, test, vi } from 'vitest';
import type { BeforeConnect, PoolOptions } from '../../../src/index.js';
import { useFakeServer } from '../../support/fake-server.js';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const fake = useFakeServer();
const makePool = usePools(server);
/** AuthenticationCleartextPassword, as the protocol defines it. */
const CLEARTEXT = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
const KILL_SELF = 'select pg_terminate_backend(pg_backend_pid())';

afterEach(() => vi.unstubAllEnvs());

type AfterConnect = NonNullable<PoolOptions['afterConnect']>;

const killSelf: AfterConnect = async (client) => {
  await client.query(KILL_SELF);
};

describe('a connection that the server ends', () => {
  test('in the middle of a query is closed as server_closed, and the query rejects with its error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const pid = await backendPid(client);
    const running = rejection(client.query('select pg_sleep(60)'));
    await until('it is killed', async () => {
      const { rows } = await server().query<{ killed: boolean }>(
        "select pg_terminate_backend(pid) as killed from pg_stat_activity where pid = $1 and state = 'active'",
        [pid],
      );
      return rows[0]?.killed;
    });
    expect((await running).code).toBe('57P01');
    await until('it is closed', () => pool.log.closeReasons.length > 0);
    client.release();
    expect(pool.log.closeReasons).toEqual(['server_closed']);
  });

  const HOOKS: [string, AfterConnect][] = [
    ['and tells so', killSelf],
    ['and keeps it to itself', async (...args) => Promise.resolve(killSelf(...args)).catch(() => undefined)],
    [
      'and ends later',
      async (client) => {
        const lost = new Promise((resolve) => client.once('end', resolve));
        await client.query(KILL_SELF).catch(() => undefined);
        await lost;
      },
    ],
  ];

  test.each(HOOKS)(
    'during afterConnect, which notices %s, is closed as server_closed',
    async (_name, hook) => {
      let attempts = 0;
      const pool = await makePool(
        server(),
        { maxOpenConns: 1 },
        { afterConnect: (client, context) => ((attempts += 1) === 1 ? hook(client, context) : undefined) },
      );
      // A hook that hides the error may end before the socket is seen to close; then the first query fails.
      await pool.query('select 1').catch(() => undefined);
      await until('it is closed', () => pool.log.closeReasons.length > 0);
      expect(pool.log.closeReasons).toEqual(['server_closed']);
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    },
  );

  test('during afterConnect by a lost socket is closed as network', async () => {
    const pool = await makePool(
      proxy(),
      { maxOpenConns: 1 },
      {
        afterConnect: async (client) => {
          const answer = client.query('select pg_sleep(60)');
          proxy().resetAll();
          await answer;
        },
      },
    );
    await rejection(pool.connect());
    expect(pool.log.closeReasons).toEqual(['network']);
  });

  test('is told apart from an error of the hook, which is closed as hook', async () => {
    const afterConnect: AfterConnect = async (client) => {
      await client.query('select 1/0');
    };
    const pool = await makePool(server(), {}, { afterConnect });
    await rejection(pool.connect());
    expect(pool.log.closeReasons).toEqual(['hook']);
  });
});

describe('a login that fails for lack of a password', () => {
  test('because a token would be sent in clear text is closed as auth, and the token is not sent', async () => {
    fake.reply = (session) => {
      if (session.received.length > 0) session.socket.write(CLEARTEXT);
    };
    const beforeConnect: BeforeConnect = async (target, context) => {
      target.password = await context.refreshToken({ provider: 'mine' }, () => Promise.resolve('tok-en'));
    };
    const pool = await makePool(fake, { password: '' }, { beforeConnect });
    expect((await rejection(pool.connect())).message).toContain('clear text');
    expect(pool.log.closeReasons).toEqual(['auth']);
    expect(fake.sessions[0]?.received.toString()).not.toContain('tok-en');
  });

  const WITHOUT: [string, unknown][] = [
    ['empty', ''],
    ['undefined', undefined],
    ['null', null],
  ];

  test.each(WITHOUT)('because a hook leaves the password %s is closed as auth', async (_name, password) => {
    vi.stubEnv('PGPASSFILE', '/nonexistent/pgpass');
    const beforeConnect: BeforeConnect = (target) => {
      target.password = password as string;
    };
    const pool = await makePool(server(), { maxOpenConns: 1 }, { beforeConnect });
    expect((await rejection(pool.connect())).message).toContain('PGPASSFILE');
    expect(pool.log.closeReasons).toEqual(['auth']);
  });

  test('because none was configured is closed as auth', async () => {
    vi.stubEnv('PGPASSFILE', '/nonexistent/pgpass');
    const pool = await makePool(server(), { password: '' });
    expect((await rejection(pool.connect())).message).toContain('PGPASSFILE');
    expect(pool.log.closeReasons).toEqual(['auth']);
  });
});
