import { Socket } from 'node:net';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CLEARTEXT_PASSWORD_REQUEST, fatal } from '../../../local-rds/wire.js';
import {
  ConfigError,
  fromPgConfig,
  newPool,
  newPoolSync,
  poolClass,
  type Config,
  type DialFunction,
  type DialTarget,
  type InstrumentedPool,
  type PoolOptions,
} from '../../../src/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useFakeServer } from '../../support/fake-server.js';
import { RecordingLogger } from '../../support/logger.js';
import { plainStream, socketTo } from '../../support/plain-stream.js';
import { useLocalRds, usePostgres } from '../../support/servers.js';
import { meterSdk, tracerSdk } from '../../support/telemetry.js';
import { EXAMPLE_KEYS, iamConfig } from '../../support/tokens.js';
import { rejection } from '../../support/until.js';

useCleanEnvironment();
const server = usePostgres();
const rds = useLocalRds();
const fake = useFakeServer();
const HERE = '127.0.0.1';

/** Names that do not resolve: only `dial` knows their addresses. */
const config = (): Config => ({
  ...{ host: 'orders.internal', port: 6543, sslMode: 'disable', maxOpenConns: 2 },
  ...{ user: server().user, password: server().password, database: server().database },
});
const dials: DialTarget[] = [];
const dial: DialFunction = (target) => {
  dials.push(target);
  return socketTo(server());
};
const quiet = (options?: PoolOptions): PoolOptions => ({ logger: new RecordingLogger(), dial, ...options });

beforeEach(() => void dials.splice(0));

async function answers(pool: InstrumentedPool): Promise<void> {
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await pool.end();
}

describe('dial', () => {
  test('is called once for each connection attempt, with the target and whether the pool adds TLS', async () => {
    await answers(await newPool(config(), quiet()));
    const { user, database } = server();
    expect(dials).toEqual([{ host: 'orders.internal', port: 6543, user, database, tls: false }]);
  });

  test('works with newPoolSync, poolClass and fromPgConfig', async () => {
    await answers(newPoolSync(config(), quiet()));
    await answers(new (poolClass(config(), quiet()))());
    const { user, password, database, port } = server();
    const made = fromPgConfig({ user, password, database, host: HERE, port, stream: () => new Socket() });
    await answers(await newPool(made.config, { ...made.options, logger: new RecordingLogger() }));
    expect(dials).toHaveLength(2);
  });

  test('gets the target that beforeConnect has changed', async () => {
    const beforeConnect: PoolOptions['beforeConnect'] = (target) => {
      target.host = 'other.internal';
      target.port = 7;
    };
    await answers(await newPool(config(), quiet({ beforeConnect })));
    expect(dials).toMatchObject([{ host: 'other.internal', port: 7 }]);
  });

  test("keeps the target's address in telemetry, and counts like any attempt", async () => {
    const { tracerProvider, span } = tracerSdk();
    const { meterProvider, value } = meterSdk();
    const pool = await newPool(config(), quiet({ tracerProvider, meterProvider, poolName: 'dialled' }));
    await pool.query('select 1');
    const connect = span(`CONNECT ${server().database}`);
    expect(connect.attributes).toMatchObject({ 'server.address': 'orders.internal', 'server.port': 6543 });
    expect(await value('db.client.connection.create_time')).toMatchObject({ count: 1 });
    await pool.end();
    expect(await value('pgauge.connection.closed', { 'pgauge.connection.close_reason': 'pool_end' })).toBe(1);
  });

  test('that is not a function is refused', async () => {
    const wrong = { dial: 'tcp' } as unknown as PoolOptions;
    await expect(newPool(config(), wrong)).rejects.toThrow(
      new ConfigError('invalid configuration: dial must be a function'),
    );
  });
});

describe('TLS over a stream', () => {
  const secured = (sslMode: Config['sslMode'], host: string, ca = rds().caPem) =>
    newPool(
      { ...config(), host, sslMode, user: 'owner', password: 'secret', database: rds().database },
      quiet({ dial: () => plainStream(socketTo({ host: HERE, port: rds().port })), ssl: { ca } }),
    );
  beforeAll(async () => {
    await rds().createUser('owner', { password: 'secret' });
  });

  test.each(['require', 'verify-ca', 'verify-full'] as const)('works with sslMode %s', async (mode) => {
    await answers(await secured(mode, 'localhost'));
  });

  test('verifies the name of the target, not that of the stream', async () => {
    await answers(await secured('verify-ca', 'orders.internal'));
    const pool = await secured('verify-full', 'orders.internal');
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    await pool.end();
  });

  test('refuses a server without TLS', async () => {
    const pool = await newPool({ ...config(), sslMode: 'require' }, quiet());
    expect((await rejection(pool.query('select 1'))).message).toContain('does not support SSL');
    expect(dials).toMatchObject([{ tls: true }]);
    await pool.end();
  });

  test('is omitted when dial returns the stream as encrypted', async () => {
    const encrypted: DialFunction = (target) => ({ stream: socketTo(server()), encrypted: target.tls });
    await answers(await newPool({ ...config(), sslMode: 'verify-full' }, quiet({ dial: encrypted })));
  });
});

describe('a token', () => {
  beforeEach(() => setEnv(EXAMPLE_KEYS));
  const open = (
    answer: (stream: ReturnType<typeof socketTo>) => ReturnType<DialFunction>,
    sslMode: Config['sslMode'],
  ) => newPool(iamConfig({ sslMode }), quiet({ dial: () => answer(socketTo(fake)) }));
  const asks = (): void => {
    fake.reply = ({ socket, received }, piece) => {
      if (piece.length === 0) return;
      if (received.includes('X-Amz-Signature')) socket.end(fatal('57P03', 'seen'));
      else socket.write(CLEARTEXT_PASSWORD_REQUEST);
    };
  };

  test('is sent over a stream that is encrypted', async () => {
    asks();
    const pool = await open((stream) => ({ stream, encrypted: true }), 'disable');
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '57P03' });
    await pool.end();
  });

  test.each<[string, (stream: ReturnType<typeof socketTo>) => ReturnType<DialFunction>]>([
    ['without a claim of encryption', (stream) => stream],
    ['as not encrypted', (stream) => ({ stream, encrypted: false })],
  ])('is never sent over a stream that is returned %s with sslMode disable', async (_how, answer) => {
    asks();
    const pool = await open(answer, 'disable');
    expect(await rejection(pool.query('select 1'))).toEqual(
      new ConfigError(
        'dynamicAuth with sslMode disable would send the token in clear: use require or stronger',
      ),
    );
    expect(await fake.dialled()).toBe(1);
    expect(fake.sessions.map(({ received }) => received.length)).toEqual([0]);
    expect(pool.totalCount).toBe(0);
    await pool.end();
  });

  test('with sslMode disable and without dial is refused when the pool is created', async () => {
    await expect(newPool(iamConfig({ sslMode: 'disable' }))).rejects.toThrow('in clear');
  });
});
