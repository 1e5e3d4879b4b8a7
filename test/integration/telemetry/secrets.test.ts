import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  newDynamicAuthFunc,
  newPool,
  type Config,
  type InstrumentedPool,
  type PoolOptions,
} from '../../../src/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { iamConfig } from '../../support/rds-configs.js';
import type { RecordingLogger } from '../../support/logger.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { cleanUp, meterSdk, tracerSdk, useContextManager } from '../../support/telemetry.js';

const rds = useLocalRds();
const place = useCleanEnvironment(() => rds().awsEnv);
const makePool = useIamPools(rds);

const PASSWORD = 'canary-password';
const SQL_VALUE = 'canary-sql-value';
const STATIC: Partial<Config> = { dynamicAuth: undefined, user: 'keeper', password: PASSWORD };
const FORMAT = { depth: null, showHidden: true, maxStringLength: null, maxArrayLength: null } as const;

type Pool = InstrumentedPool & { readonly log: RecordingLogger };
let tracer: ReturnType<typeof tracerSdk>;
let meter: ReturnType<typeof meterSdk>;
let told: PoolOptions;
/** The secrets that were sent to the servers, and must appear nowhere. */
let secrets: string[];

beforeEach(async () => {
  useContextManager();
  tracer = tracerSdk();
  meter = meterSdk();
  told = {
    tracerProvider: tracer.tracerProvider,
    meterProvider: meter.meterProvider,
    acquireSpan: 'always',
    poolName: 'p',
  };
  secrets = ['canary', rds().awsEnv.AWS_SECRET_ACCESS_KEY, 'X-Amz-Signature'];
  if ((await rds().postgres.query(`select from pg_roles where rolname = 'keeper'`)).rowCount === 0) {
    await rds().createUser('keeper', { password: PASSWORD });
  }
});
afterEach(() => {
  rds().gate.set({ rejectTokens: false, fatal: undefined });
  cleanUp();
});

function expectNoSecret(what: string, shown: unknown): void {
  const texts = [inspect(shown, FORMAT), JSON.stringify(shown) as string | undefined];
  for (const secret of secrets) {
    for (const text of texts) {
      const at = text?.indexOf(secret) ?? -1;
      expect(
        at < 0 ? undefined : `${what}: ${text?.slice(Math.max(0, at - 200), at + 40) ?? ''}`,
      ).toBeUndefined();
    }
  }
}

/** Ends the pool and expects no secrets in any of its telemetry. */
async function expectSilent(pool: Pool, errors: readonly unknown[] = []): Promise<void> {
  expectNoSecret('the pool', pool);
  expectNoSecret('its options', pool.options);
  await pool.end();
  const spans = tracer.spans().map(({ name, attributes, status, events, links, resource }) => ({
    ...{ name, attributes, status, events, links, resource: resource.attributes },
  }));
  expect(spans.length).toBeGreaterThan(0);
  expectNoSecret('a span', spans);
  const metrics = await meter.collect();
  expect(metrics.length).toBeGreaterThan(0);
  expectNoSecret('a metric', metrics);
  expect(pool.log.records.length).toBeGreaterThan(1);
  expectNoSecret('a log record', pool.log.records);
  // An error's own text is printed with its causes.
  for (const error of errors) expectNoSecret('an error', error);
}

describe('no password, token or query value appears in telemetry, logs or errors', () => {
  test('and the check of this file sees hidden properties and causes', () => {
    const hidden = Object.defineProperty({}, 'secret', { value: { deep: [PASSWORD] } });
    for (const shown of [
      hidden,
      new Error('x', { cause: new Error(PASSWORD) }),
      { toJSON: () => PASSWORD },
    ]) {
      expect(() => expectNoSecret('it', shown)).toThrow();
    }
  });

  test('when every call succeeds', async () => {
    const pool = await makePool(STATIC, told);
    const client = await pool.connect();
    expect((await client.query('select $1::text as value', [SQL_VALUE])).rows).toEqual([
      { value: SQL_VALUE },
    ]);
    await client.query(`select '${SQL_VALUE}'`);
    await client.query({ name: 'named', text: 'select $1::text', values: [SQL_VALUE] });
    expectNoSecret('a client in use', client);
    client.release();
    expectNoSecret('an idle client', client);
    await expectSilent(pool);
  });

  test('when a token was used, nor does the token', async () => {
    const auth = await newDynamicAuthFunc(iamConfig(rds()), rds().user);
    const pool = await makePool(
      { dynamicAuth: undefined },
      {
        ...told,
        beforeConnect: async (target, context) => {
          await auth(target, context);
          secrets.push(target.password);
        },
      },
    );
    const client = await pool.connect();
    expect(secrets.at(-1)).toContain('X-Amz-Signature=');
    expectNoSecret('a client in use', client);
    client.release();
    rds().gate.set({ rejectTokens: true });
    const held = await pool.connect();
    const rejected = await rejection(pool.connect());
    held.release();
    await expectSilent(pool, [rejected]);
  });

  test('when the password came from PGPASSFILE', async () => {
    const path = join(place.home, 'pgpass');
    writeFileSync(path, `*:*:*:keeper:${PASSWORD}`, { mode: 0o600 });
    setEnv({ PGPASSFILE: path });
    const pool = await makePool({ ...STATIC, password: '' }, told);
    await pool.query('select 1');
    await expectSilent(pool);
  });

  const throwing = (): never => {
    throw new Error('canary of the hook');
  };
  test.each<[string, Partial<Config>, PoolOptions, (() => void)?]>([
    ['the password is wrong', { ...STATIC, password: 'canary-wrong' }, {}],
    ['the token is rejected', {}, {}, () => rds().gate.set({ rejectTokens: true })],
    [
      'the server refuses',
      STATIC,
      {},
      () => rds().gate.set({ fatal: { code: '57P03', message: 'the database system is starting up' } }),
    ],
    ['no server listens', { ...STATIC, host: '127.0.0.1', port: 1 }, {}],
    ['the certificate is not trusted', { ...STATIC, sslMode: 'verify-full' }, {}],
    [
      'there are no credentials',
      {},
      {},
      () => setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }),
    ],
    [
      'a credentials command fails and prints secrets',
      {},
      {},
      () => {
        setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
        const script = join(place.home, 'canary.mjs');
        writeFileSync(script, `console.error('canary-said'); process.exit(1)`);
        writeFileSync(
          join(place.home, 'config'),
          `[default]\ncredential_process=${process.execPath} ${script} canary-argument\n`,
        );
      },
    ],
    [
      'a hook makes the target invalid',
      STATIC,
      { beforeConnect: (target) => void (target.password = 'canary\0') },
    ],
    [
      'the attempt takes too long',
      STATIC,
      { connectTimeoutMs: 100, beforeConnect: () => new Promise(() => undefined) },
    ],
    [
      'TLS options of a hook cannot be used',
      STATIC,
      { beforeConnect: (target) => void (target.ssl = { key: 'canary' }) },
    ],
  ])('when %s', async (_what, config, options, prepare) => {
    prepare?.();
    const pool = await makePool(config, { ...told, ...options });
    const error = await rejection(pool.query('select $1::text', [SQL_VALUE]));
    const byCallback = await new Promise((resolve) => {
      pool.connect((failed) => resolve(failed));
    });
    await expectSilent(pool, [error, byCallback]);
  });

  test.each<[string, PoolOptions]>([
    ['beforeConnect', { beforeConnect: throwing }],
    ['afterConnect', { afterConnect: throwing }],
  ])(
    'when %s throws an error that contains one: only its acquire rejects with that error',
    async (_hook, options) => {
      const pool = await makePool(STATIC, { ...told, ...options });
      const error = await rejection(pool.query('select 1'));
      expect(error.message).toBe('canary of the hook');
      const late = await rejection(pool.query('select 1'));
      await expectSilent(pool);
      expect(late.message).toBe('canary of the hook');
    },
  );

  test('when acquires time out and queries fail in every way', async () => {
    const pool = await makePool({ ...STATIC, maxOpenConns: 1 }, { ...told, queryTimeoutMs: 2_000 });
    const errors: unknown[] = [];
    const client = await pool.connect();
    errors.push(await rejection(pool.connect({ timeoutMs: 20 })));
    errors.push(await rejection(client.query('select $1::text, 1/0', [SQL_VALUE])));
    errors.push(await rejection(client.query('select $1::text, pg_sleep(10)', [SQL_VALUE])));
    client.release();

    const killed = await pool.connect();
    const pid = (killed as unknown as { processID: number }).processID;
    const running = rejection(killed.query('select $1::text, pg_sleep(1.5)', [SQL_VALUE]));
    await rds().postgres.query('select pg_terminate_backend($1)', [pid]);
    errors.push(await running);
    errors.push(await rejection(killed.query('select $1::text', [SQL_VALUE])));
    killed.release();

    const open = await pool.connect();
    await open.query('begin');
    await open.query('select $1::text', [SQL_VALUE]);
    open.release();
    await until('the open transaction is discarded', () => pool.log.closeReasons.includes('tx_open'));
    await expectSilent(pool, errors);
    errors.push(await rejection(pool.query('select $1::text', [SQL_VALUE])));
    for (const error of errors) expectNoSecret('an error', error);
    expect(errors).toHaveLength(6);
  });

  test('when newPool refuses a config', async () => {
    const refused: unknown[] = [];
    for (const wrong of [
      { port: 0 },
      { password: 'canary\0' },
      { sslMode: 'canary' },
      { canaryKey: 'canary' },
    ]) {
      const config = { ...iamConfig(rds(), STATIC), migrationPassword: 'canary-migration', ...wrong };
      refused.push(await rejection(newPool(config as Config)));
    }
    secrets = secrets.map((secret) => (secret === 'canary' ? 'canary-' : secret));
    for (const error of refused) expectNoSecret('an error', error);
  });
});
