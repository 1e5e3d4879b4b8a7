import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  newDynamicAuthFunc,
  type BeforeConnect,
  type DynamicAuthConfig,
  type InstrumentedPool,
} from '../../../src/index.js';
import { causes } from '../../support/errors.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useFakeServer } from '../../support/fake-server.js';
import { useIamPools } from '../../support/iam.js';
import { iamConfig } from '../../support/rds-configs.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const rds = useLocalRds();
const place = useCleanEnvironment();
const makePool = useIamPools(rds);
const fake = useFakeServer();

const CONNECT_TIMEOUT_MS = 400;

/** The error of an acquire that fails before anything is dialled. */
async function undialled(pool: InstrumentedPool): Promise<Error & { code?: string }> {
  const { connections } = rds().gate.stats();
  const error = await rejection(pool.query('select 1'));
  expect(rds().gate.stats().connections).toBe(connections);
  expect(pool.totalCount).toBe(0);
  return error;
}

/** Configures the AWS SDK to run a command for its credentials. */
function useProcess(script: string): void {
  const program = join(place.home, 'provider.mjs');
  writeFileSync(program, script);
  writeFileSync(join(place.home, 'config'), `[default]\ncredential_process=${process.execPath} ${program}\n`);
}

describe('a credentials provider', () => {
  test.each<[string, DynamicAuthConfig]>([
    ['awsRdsIam', { awsRdsIam: { region: 'eu-central-1' } }],
    ['awsDsql', { awsDsql: { region: 'eu-central-1' } }],
    ['awsSecretsManager', { awsSecretsManager: { secretId: 'app/db', region: 'eu-central-1' } }],
  ])(
    'without credentials fails with a clear message, and no connection is dialled: %s',
    async (provider, dynamicAuth) => {
      const pool = await makePool({ dynamicAuth });
      const error = await undialled(pool);
      expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_PGAUGE_AUTH' });
      expect(error.message.startsWith(`dynamic auth (${provider}): failed to `)).toBe(true);
      expect(error.message).toMatch(/: .*credentials/);
      expect(error.cause).toBeInstanceOf(Error);
      const [failed] = pool.log.named('postgres token refresh failed');
      expect(failed?.fields).toMatchObject({ provider });
      expect(pool.log.named('postgres connect failed')[0]?.fields).toMatchObject({ phase: 'token' });
    },
  );

  test.each([
    ['throws', `throw new Error('canary-secret')`],
    ['prints nothing', ''],
    ['prints something that is not JSON', `console.log('canary-secret')`],
    [
      'prints an empty secret',
      `console.log(JSON.stringify({ Version: 1, AccessKeyId: 'canary', SecretAccessKey: '' }))`,
    ],
  ])('that %s fails before a connection is dialled, and the pool recovers', async (_how, script) => {
    useProcess(script);
    const pool = await makePool();
    const error = await undialled(pool);
    expect(error.message.startsWith('dynamic auth (awsRdsIam): ')).toBe(true);
    expect(error.cause).toBeInstanceOf(Error);
    expect(causes(error).map(String).join()).not.toContain('canary');
    setEnv(rds().awsEnv);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('that hangs is abandoned at the connect deadline, and does not delay end()', async () => {
    useProcess('setTimeout(() => undefined, 60_000)');
    const pool = await makePool({}, { connectTimeoutMs: CONNECT_TIMEOUT_MS });
    const error = await undialled(pool);
    expect(error.message).toMatch(/^dynamic auth \(awsRdsIam\): .*timeout/);
    const pending = rejection(pool.query('select 1'));
    await pool.end({ waiting: 'reject' });
    expect(await pending).toMatchObject({ code: 'ERR_PGAUGE_POOL_ENDED' });
    expect(pool.totalCount).toBe(0);
  });

  test('that answers after the deadline starts no connection by itself', async () => {
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = rds().awsEnv;
    const answer = JSON.stringify({ Version: 1, AccessKeyId: id, SecretAccessKey: secret });
    const answered = join(place.home, 'answered');
    useProcess(`import { writeFileSync } from 'node:fs';
      setTimeout(() => {
        console.log(${JSON.stringify(answer)});
        writeFileSync(${JSON.stringify(answered)}, '');
      }, 5_000);`);
    const pool = await makePool({}, { connectTimeoutMs: 3_000 });
    const { connections } = rds().gate.stats();
    expect((await undialled(pool)).message).toContain('timeout');
    // The late answer serves only the next attempt, which uses it or joins its fetch.
    await until('the next attempt is served', async () => {
      const [row] = await pool.query<object>('select 1 as one').then(
        ({ rows }) => rows,
        () => [],
      );
      return row;
    });
    expect(rds().gate.stats().connections - connections).toBe(1);
  });
});

describe('a hook that fetches its own tokens', () => {
  const source = { provider: 'vault' };
  const hookOf =
    (refresh: () => Promise<unknown>): BeforeConnect =>
    async (target, context) => {
      target.password = await context.refreshToken(source, refresh as () => Promise<string>);
    };
  const poolWith = (refresh: () => Promise<unknown>) =>
    makePool(
      { dynamicAuth: undefined },
      { beforeConnect: hookOf(refresh), connectTimeoutMs: CONNECT_TIMEOUT_MS },
    );

  test('and throws rejects with that same error, and no connection is dialled', async () => {
    const own = new Error('vault is sealed');
    expect(await undialled(await poolWith(() => Promise.reject(own)))).toBe(own);
  });

  test.each<[string, unknown]>([
    ['an empty string', ''],
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['an object', { token: 'canary' }],
  ])('and returns %s is refused, and no connection is dialled', async (_what, answer) => {
    const error = await undialled(await poolWith(() => Promise.resolve(answer)));
    expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_PGAUGE_AUTH' });
    expect(error.message.startsWith('dynamic auth (vault): ')).toBe(true);
    expect(error.message).not.toContain('canary');
  });

  test('and hangs is abandoned at the connect deadline, and end() does not wait for it', async () => {
    const pool = await poolWith(() => new Promise(() => undefined));
    const error = await undialled(pool);
    expect(error).toMatchObject({ code: 'ERR_PGAUGE_CONNECT_TIMEOUT' });
    expect(error.message).toMatch(/^dynamic auth \(vault\): .*timeout/);
    const patient = await makePool(
      { dynamicAuth: undefined },
      { beforeConnect: hookOf(() => new Promise(() => undefined)) },
    );
    const pending = rejection(patient.query('select 1'));
    expect(patient.totalCount).toBe(1);
    await patient.end({ waiting: 'reject' });
    expect(await pending).toMatchObject({ code: 'ERR_PGAUGE_POOL_ENDED' });
    expect(patient.totalCount).toBe(0);
  });

  test('and returns after the deadline is ignored: the late token is not sent', async () => {
    let answer: (token: string) => void = () => undefined;
    const pool = await poolWith(() => new Promise<string>((resolve) => (answer = resolve)));
    const { connections } = rds().gate.stats();
    await undialled(pool);
    answer('late');
    // Anything that could follow a late answer would have started by then.
    await sleep(100);
    expect(rds().gate.stats().connections).toBe(connections);
    expect(pool.stat()).toMatchObject({ totalConns: 0, newConnsCount: 1 });
    expect(pool.log.closeReasons).toEqual([]);
    await pool.end();
  });

  test('and fails for more callers than the maximum leaves no slot taken', async () => {
    let fails = true;
    setEnv(rds().awsEnv);
    const auth = await newDynamicAuthFunc(iamConfig(rds()), rds().user);
    const pool = await makePool(
      { dynamicAuth: undefined, maxOpenConns: 2 },
      {
        beforeConnect: async (target, context) => {
          if (fails) await context.refreshToken(source, () => Promise.resolve(''));
          else await auth(target, context);
        },
      },
    );
    const refused = await Promise.all(Array.from({ length: 8 }, () => rejection(pool.query('select 1'))));
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['ERR_PGAUGE_AUTH']));
    expect(pool.stat()).toMatchObject({ totalConns: 0, newConnsCount: 8 });
    fails = false;
    const held = await Promise.all([pool.connect(), pool.connect()]);
    for (const client of held) client.release();
    expect(pool.totalCount).toBe(2);
  });
});

describe('a token', () => {
  // AuthenticationCleartextPassword.
  const CLEARTEXT = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

  test('is never sent to a server that asks for it on an unencrypted connection', async () => {
    setEnv(rds().awsEnv);
    fake.reply = ({ socket }, piece) => {
      if (piece.length > 0) socket.write(CLEARTEXT);
    };
    const to = { host: fake.host, port: fake.port };
    const auth = await newDynamicAuthFunc(iamConfig(rds(), to), rds().user);
    let token = '';
    const pool = await makePool(
      { ...to, dynamicAuth: undefined },
      {
        beforeConnect: async (target, context) => {
          await auth(target, context);
          token = target.password;
          target.ssl = false;
        },
      },
    );
    const error = await rejection(pool.query('select 1'));
    expect(error).toMatchObject({ name: 'ConfigError', code: 'ERR_PGAUGE_CONFIG' });
    expect(error.message).toContain('clear text on an unencrypted connection');
    await until('the connection is closed', () => fake.sessions[0]?.closed);
    expect(token).toContain('X-Amz-Signature=');
    expect(fake.sessions).toHaveLength(1);
    const sent = fake.sessions[0]?.received ?? Buffer.alloc(0);
    // Only the startup message.
    expect(sent.length).toBe(sent.readInt32BE(0));
    expect(sent.toString('latin1')).not.toMatch(/X-Amz|Signature|Action=connect/);
    expect(pool.totalCount).toBe(0);
  });

  test('is never sent to a server without TLS', async () => {
    setEnv(rds().awsEnv);
    fake.reply = ({ socket }, piece) => {
      if (piece.length > 0) socket.write('N');
    };
    const pool = await makePool({ host: fake.host, port: fake.port });
    expect((await rejection(pool.query('select 1'))).message).toContain('SSL');
    await until('the connection is closed', () => fake.sessions[0]?.closed);
    expect(fake.sessions[0]?.received).toHaveLength(8);
  });
});
