import { inspect } from 'node:util';
import QueryStream from 'pg-query-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BeforeConnect, Config, InstrumentedPool, PoolOptions } from '../../../src/index.js';
import { startImds } from '../../../local-rds/index.js';
import { causes } from '../../support/errors.js';
import { useCleanEnvironment, useImds } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import type { RecordingLogger } from '../../support/logger.js';
import { backendPid } from '../../support/pools.js';
import { useLocalRds } from '../../support/servers.js';
import { expectSilent as silent } from '../../support/silence.js';
import { rejection, until } from '../../support/until.js';
import { cleanUp, meterSdk, tracerSdk, useContextManager } from '../../support/telemetry.js';

const rds = useLocalRds();
useCleanEnvironment();
const makePool = useIamPools(rds);

const CANARY = 'canary-';
const PASSWORD = `${CANARY}password`;
const TOKEN = `${CANARY}token`;
const NO_ERROR = TOKEN as unknown as Error;
const SQL_VALUE = `${CANARY}sql-value`;

let tracer: ReturnType<typeof tracerSdk>;
let meter: ReturnType<typeof meterSdk>;
const login: Partial<Config> = { dynamicAuth: undefined, user: 'keeper', password: PASSWORD };

beforeEach(async () => {
  useContextManager();
  tracer = tracerSdk();
  meter = meterSdk();
  if ((await rds().postgres.query(`select from pg_roles where rolname = 'keeper'`)).rowCount === 0) {
    await rds().createUser('keeper', { password: PASSWORD });
  }
});
afterEach(cleanUp);

function makeTold(config: Partial<Config>, options: PoolOptions = {}) {
  return makePool(config, {
    tracerProvider: tracer.tracerProvider,
    meterProvider: meter.meterProvider,
    acquireSpan: 'always',
    ...options,
  });
}

const expectSilent = (what: string, shown: unknown, secrets: readonly string[] = [CANARY]): void =>
  silent(what, shown, secrets);

/** Ends the pool and expects no secrets in any of its telemetry; returns all warnings and error types. */
async function expectNothingTold(
  pool: InstrumentedPool & { readonly log: RecordingLogger },
  secrets?: readonly string[],
): Promise<string[]> {
  expectSilent('the pool', pool, secrets);
  expectSilent('the options', pool.options, secrets);
  await pool.end();
  const spans = tracer.spans().map(({ name, attributes, status, events, links }) => ({
    ...{ name, attributes, status, events, links },
  }));
  expect(spans.length).toBeGreaterThan(0);
  expectSilent('spans', spans, secrets);
  expectSilent('metrics', await meter.collect(), secrets);
  expectSilent('logs', pool.log.records, secrets);
  return pool.log.records.filter(({ level }) => level === 'warn').map(({ message }) => message);
}

const withToken =
  (refresh: () => Promise<string>): BeforeConnect =>
  async (target, context) => {
    target.password = await context.refreshToken({ provider: 'vault' }, refresh);
  };

describe('a token from the application’s own source', () => {
  test('does not appear when it is accepted', async () => {
    const pool = await makeTold(login, { beforeConnect: withToken(() => Promise.resolve(PASSWORD)) });
    const client = await pool.connect();
    expectSilent('a client in use', client);
    client.release();
    await expectNothingTold(pool);
  });

  test('does not appear when it is rejected', async () => {
    const pool = await makeTold(login, { beforeConnect: withToken(() => Promise.resolve(TOKEN)) });
    const error = await rejection(pool.query('select 1'));
    for (const cause of causes(error)) expectSilent('the error', cause);
    expect(await expectNothingTold(pool)).toEqual(['postgres connect failed']);
  });

  test.each<[string, () => Promise<string>]>([
    [
      'throws it',
      () => Promise.reject(new Error(TOKEN, { cause: Object.assign(new Error(TOKEN), { code: TOKEN }) })),
    ],
    ['rejects with it', () => Promise.reject(NO_ERROR)],
    ['hangs with it', () => new Promise(() => TOKEN)],
    ['returns something that is not a string', () => Promise.resolve({ TOKEN } as unknown as string)],
    ['returns it with a NUL after it', () => Promise.resolve(`${TOKEN}\0`)],
  ])('does not appear when its source %s', async (_how, refresh) => {
    const pool = await makeTold(login, { beforeConnect: withToken(refresh), connectTimeoutMs: 300 });
    await pool.query('select 1').catch(() => undefined);
    expect(await expectNothingTold(pool)).toContain('postgres connect failed');
  });
});

describe('AWS credentials', () => {
  test('do not appear, neither key nor session token, whether they are in use or cannot be fetched', async () => {
    const secrets: string[] = [];
    const imds = await startImds({
      credentials: () => {
        const issued = rds().credentials.issueTemporary();
        secrets.push(issued.secretAccessKey, issued.sessionToken, issued.accessKeyId);
        return issued;
      },
    });
    try {
      useImds(imds.endpoint);
      const pool = await makeTold({}, {});
      await pool.query('select 1');
      expect(secrets.length).toBeGreaterThan(0);
      expect(await expectNothingTold(pool, [...secrets, 'X-Amz-'])).toEqual([]);
    } finally {
      await imds.stop();
    }
    useImds('http://127.0.0.1:1');
    const failing = await makeTold({}, { connectTimeoutMs: 5_000 });
    const error = await rejection(failing.query('select 1'));
    for (const cause of causes(error)) expectSilent('the error', cause, secrets);
    expect(await expectNothingTold(failing, [...secrets, CANARY])).toContain('postgres token refresh failed');
  });
});

describe('a query value', () => {
  test('does not appear when connections are lost, leak or are released', async () => {
    const pool = await makeTold(
      { ...login, maxOpenConns: 2 },
      { leakDetectionMs: 50, endTimeoutMs: 100, queryTimeoutMs: 10_000 },
    );
    const killed = await pool.connect();
    const running = rejection(killed.query('select $1::text, pg_sleep(10)', [SQL_VALUE]));
    await rds().postgres.query('select pg_terminate_backend($1)', [
      (killed as unknown as { processID: number }).processID,
    ]);
    for (const cause of causes(await running)) expectSilent('the error', cause);
    killed.release();

    await pool.query('select $1::text', [SQL_VALUE]);
    const idle = await pool.connect();
    const pid = await backendPid(idle);
    idle.release();
    await rds().postgres.query('select pg_terminate_backend($1)', [pid]);
    await until('the idle one is lost', () => pool.totalCount === 0);

    const leaked = await pool.connect();
    await leaked.query('select $1::text', [SQL_VALUE]);
    await until(
      'the leak is suspected',
      () => pool.log.named('postgres connection leak suspected').length > 0,
    );
    const abandoned = await pool.connect();
    void abandoned.query('select $1::text, pg_sleep(10)', [SQL_VALUE]).catch(() => undefined);
    abandoned.release();
    const BUSY = 'postgres client released while a query was running';
    await until('its query has taken too long', () => pool.log.named(BUSY).length > 0);

    const told = await expectNothingTold(pool);
    expect(new Set(told)).toEqual(
      new Set([
        'postgres connection lost',
        BUSY,
        'postgres connection leak suspected',
        'postgres connection pool end forced',
      ]),
    );
  });

  test('does not appear when the server quotes it in an error of afterConnect', async () => {
    const pool = await makeTold(login, {
      afterConnect: async (client) => {
        await client.query('select $1::int', [SQL_VALUE]);
      },
    });
    expect((await rejection(pool.query('select 1'))).message).toContain(SQL_VALUE);
    expect(await expectNothingTold(pool)).toEqual(['postgres connect failed']);
  });

  test('does not appear when a constraint error quotes it, nor in a following acquire timeout', async () => {
    const pool = await makeTold({ ...login, maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query('create temp table kept (value text unique)');
    await client.query('insert into kept values ($1)', [SQL_VALUE]);
    const duplicate = await rejection(client.query(`insert into kept values ('${SQL_VALUE}')`));
    expect(inspect(duplicate)).toContain(SQL_VALUE);
    const late = await rejection(pool.connect({ timeoutMs: 20 }));
    for (const cause of causes(late)) expectSilent('the error', cause);
    client.release();
    expect(await expectNothingTold(pool)).toEqual(['postgres acquire timed out']);
  });

  test.each(['parameterized', 'sanitized', 'never'] as const)(
    'does not appear in the telemetry of any query, with text: %s',
    async (text) => {
      const pool = await makeTold(
        { ...login, maxOpenConns: 1 },
        { slowQueryMs: 0.001, queryTelemetry: { rows: true, text, comment: 'trace' } },
      );
      const literal = `select '${SQL_VALUE}'::text, E'${SQL_VALUE}', $a$${SQL_VALUE}$a$ /* ${SQL_VALUE} */`;
      await pool.query(literal);
      await pool.query('select $1::text', [SQL_VALUE]);
      await pool.query({ name: 'named', text: 'select $1::text', values: [SQL_VALUE] });
      await pool.query({ text: 'select $1::text', values: [SQL_VALUE], rowMode: 'array' });
      await pool.query(new QueryStream('select $1::text', [SQL_VALUE])).toArray();
      for (const failing of [
        `${literal} from missing`,
        `select '${SQL_VALUE}'::int`,
        `select '${SQL_VALUE}`,
      ]) {
        for (const cause of causes(await rejection(pool.query(failing))))
          expect(inspect(cause)).not.toContain(PASSWORD);
      }
      await rejection(pool.query({ text: 'select $1::int', values: [SQL_VALUE] }));
      await rejection(pool.query({ text: `select pg_sleep(10), '${SQL_VALUE}'`, timeoutMs: 200 }));
      // If it waited in the queue, it would not be a query yet.
      await until('the connection is free again', () => pool.idleCount === 1);
      const signal = AbortSignal.timeout(200);
      await rejection(pool.query({ text: `select pg_sleep(10), '${SQL_VALUE}'`, signal }));

      const told = await expectNothingTold(pool);
      expect(new Set(told)).toEqual(new Set(['postgres slow query', 'postgres query canceled']));
      const measured = tracer.spans().filter(({ attributes }) => 'db.query.summary' in attributes);
      expect(measured).toHaveLength(11);
    },
  );

  test("does not appear in an error when the application's summary quotes it by mistake", async () => {
    const summary = ({ text }: { text: string }): string => {
      throw new Error(text);
    };
    const pool = await makeTold(login, { queryTelemetry: { summary } });
    await pool.query(`select '${SQL_VALUE}'`);
    expect(await expectNothingTold(pool)).toEqual(['postgres query summary refused']);
  });
});
