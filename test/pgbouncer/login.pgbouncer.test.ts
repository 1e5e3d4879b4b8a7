import { describe, expect, test } from 'vitest';
import { createCa } from '../../local-rds/index.js';
import type { PoolOptions } from '../../src/index.js';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { backendsRunning } from '../support/sessions.js';
import { rejection, until } from '../support/until.js';
import { usePgbouncer } from './server.js';

const ca = await createCa();
const { certPem, keyPem } = await ca.issue({ commonName: 'localhost', dnsNames: ['localhost'] });
const server = usePostgres();
const plain = usePgbouncer(server, { max_client_conn: 4 });
const ignoring = usePgbouncer(server, { ignore_startup_parameters: 'statement_timeout,options' });
const encrypting = usePgbouncer(server, {
  client_tls_sslmode: 'require',
  client_tls_key_file: keyPem,
  client_tls_cert_file: certPem,
});
const makePool = usePools(() => plain().login);

const ASK = `select current_setting('statement_timeout') as timeout, current_setting('search_path') as path`;

describe('a startup parameter that PgBouncer does not know', () => {
  const REFUSED: NonNullable<PoolOptions['pg']>[] = [
    { statement_timeout: 5_000 },
    { lock_timeout: 5_000 },
    { idle_in_transaction_session_timeout: 5_000 },
    { options: '-c statement_timeout=5000' },
  ];

  test.each(REFUSED)('is refused at login: %o', async (pg) => {
    const pool = await makePool(plain(), {}, { pg });
    const error = await rejection(pool.query('select 1'));
    expect(error.code).toBe('08P01');
    expect(error.message).toMatch(/^unsupported startup parameter/);
    expect(pool.log.named('postgres connect failed')).toMatchObject([{ fields: { phase: 'auth' } }]);
    expect(pool.totalCount).toBe(0);
  });

  test('is dropped by ignore_startup_parameters, and then has no effect', async () => {
    const pg = { statement_timeout: 5_000, options: '-c search_path=mine' };
    const pool = await makePool(ignoring(), { database: 'transaction' }, { pg });
    expect((await pool.query(ASK)).rows).toEqual([{ timeout: '0', path: '"$user", public' }]);
  });

  test('can be a setting of the role instead, which every server connection has from its login', async () => {
    await server().query(`alter role postgres set statement_timeout = '9s'`);
    try {
      await plain().console('reconnect');
      const pool = await makePool(plain(), { database: 'transaction' });
      expect((await pool.query(ASK)).rows).toMatchObject([{ timeout: '9s' }]);
    } finally {
      await server().query('alter role postgres reset statement_timeout');
      await plain().console('reconnect');
    }
  });
});

describe('application_name', () => {
  test('follows the pool that uses a shared server connection', async () => {
    const make = (name: string) =>
      makePool(plain(), { database: 'transaction', maxOpenConns: 1 }, { pg: { application_name: name } });
    const [orders, bills] = [await make('orders'), await make('bills')];
    const ask = `select current_setting('application_name') as name`;
    for (let round = 0; round < 3; round += 1) {
      expect((await orders.query(ask)).rows).toEqual([{ name: 'orders' }]);
      expect((await bills.query(ask)).rows).toEqual([{ name: 'bills' }]);
    }
  });
});

describe('more clients than max_client_conn', () => {
  test('are refused with 08P01, and served when there is room', async () => {
    const pool = await makePool(plain(), { database: 'transaction', maxOpenConns: 10 });
    const calls = Array.from({ length: 10 }, () => pool.query('select 1'));
    const outcomes = await Promise.allSettled(calls);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(10);
    for (const outcome of refused) {
      expect(outcome).toMatchObject({
        reason: { code: '08P01', message: expect.stringContaining('max_client_conn') as string },
      });
    }
    await until('those that were let in are back', () => pool.idleCount === pool.totalCount);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('PgBouncer over TLS', () => {
  const config = { sslMode: 'verify-full', host: 'localhost', database: 'transaction' } as const;

  test('verify-full verifies the certificate of PgBouncer by the dialled name', async () => {
    const pool = await makePool(encrypting(), config, { ssl: { ca: ca.certPem } });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    const wrong = await makePool(encrypting(), { ...config, host: '127.0.0.1' }, { ssl: { ca: ca.certPem } });
    expect((await rejection(wrong.query('select 1'))).code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('a query that takes too long is cancelled', async () => {
    const pool = await makePool(encrypting(), config, { ssl: { ca: ca.certPem }, queryTimeoutMs: 700 });
    const slow = rejection(pool.query('select pg_sleep(60) /* encrypted */'));
    const running = (): Promise<number> => backendsRunning(server(), 'encrypted');
    await until('the server runs it', async () => (await running()) === 1);
    expect((await slow).message).toMatch(/^Query read timeout/);
    await until('it is cancelled', async () => (await running()) === 0, 3_000);
  });

  test('a PgBouncer without TLS is refused, like a server', async () => {
    const pool = await makePool(plain(), config, { ssl: { ca: ca.certPem } });
    expect((await rejection(pool.query('select 1'))).message).toBe(
      'The server does not support SSL connections',
    );
  });
});
