import { afterEach, describe, expect, test } from 'vitest';
import { BACKENDS } from '../../../src/auth/backends.js';
import {
  newDynamicAuthFunc,
  newPool,
  newPoolSync,
  type Config,
  type InstrumentedPool,
  type PoolOptions,
} from '../../../src/index.js';
import { FAULTS, type BackendCase, type PasswordSource } from '../../support/auth/backend-case.js';
import { BACKEND_CASES } from '../../support/auth/cases.js';
import { causes } from '../../support/errors.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { useFakeServer } from '../../support/fake-server.js';
import { useIamPools } from '../../support/iam.js';
import { iamConfig } from '../../support/rds-configs.js';
import { useLocalRds } from '../../support/servers.js';
import { expectSilent } from '../../support/silence.js';
import { cleanUp, meterSdk, tracerSdk, useContextManager } from '../../support/telemetry.js';
import { rejection, until } from '../../support/until.js';

const rds = useLocalRds();
const place = useCleanEnvironment();
const makePool = useIamPools(rds);
const fake = useFakeServer();

/** Long enough for a first login on a busy machine, short enough for sources that never answer. */
const CONNECT_TIMEOUT_MS = 2_500;
/** AuthenticationCleartextPassword. */
const CLEARTEXT_REQUEST = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
const ONE = [{ one: 1 }];

const sources: PasswordSource[] = [];
afterEach(async () => {
  for (const source of sources.splice(0)) await source[Symbol.asyncDispose]();
});

async function started({ start }: BackendCase): Promise<PasswordSource> {
  const source = await start(rds(), place.home);
  sources.push(source);
  return source;
}

const poolOf = (
  { user, dynamicAuth }: PasswordSource,
  options: PoolOptions = {},
  config: Partial<Config> = {},
) => makePool({ user, dynamicAuth, ...config }, options);
const one = async (pool: InstrumentedPool) => (await pool.query<{ one: number }>('select 1 as one')).rows;

test('every backend has a case in this suite', () => {
  expect(new Set(BACKEND_CASES.map(({ backend }) => backend))).toEqual(new Set(Object.keys(BACKENDS)));
});

describe.each(BACKEND_CASES.map((row) => [row.backend, row.provider ?? '', row] as const))(
  '%s %s',
  (backend, _name, row) => {
    const provider = row.provider ?? backend;
    const prefix = `dynamic auth (${provider}): `;
    const rejectionCode = row.rejection ?? /^28/;

    test('logs in, appears under its name in telemetry, and exposes no secret', async () => {
      useContextManager();
      try {
        const [meter, tracer] = [meterSdk(), tracerSdk()];
        const source = await started(row);
        const { meterProvider } = meter;
        const { tracerProvider } = tracer;
        const pool = await poolOf(source, { meterProvider, tracerProvider, acquireSpan: 'always' });
        expect(await one(pool)).toEqual(ONE);
        const named = { 'pgauge.auth.provider.name': provider };
        expect(await meter.value('pgauge.auth.token.refresh.duration', named)).toMatchObject({ count: 1 });
        expect(await meter.value('pgauge.pool.info', named)).toBe(1);
        expect(tracer.span('pgauge.auth.token.refresh').attributes).toMatchObject(named);
        if (row.fetches) {
          expect(await meter.value('pgauge.auth.credentials.fetch.duration', named)).toMatchObject({
            count: row.fetchesPerLogin ?? 1,
          });
          expect(await meter.points('pgauge.auth.credentials.expiration')).toHaveLength(
            row.expires === false ? 0 : 1,
          );
        }
        const secrets = source.secrets();
        expect(secrets.length).toBeGreaterThan(0);
        expectSilent('the pool', pool, secrets);
        await pool.end();
        const told = tracer
          .spans()
          .map(({ name, attributes, status, events }) => ({ name, attributes, status, events }));
        expectSilent('spans', told, secrets);
        expectSilent('metrics', await meter.collect(), secrets);
        expectSilent('logs', pool.log.records, secrets);
      } finally {
        cleanUp();
      }
    });

    test('requests one password per connection attempt and none per query', async () => {
      const { meterProvider, value } = meterSdk();
      try {
        const pool = await poolOf(await started(row), { meterProvider }, { maxOpenConns: 3 });
        const clients = await Promise.all([1, 2, 3].map(() => pool.connect()));
        for (const client of clients) {
          await client.query('select 1');
          client.release();
        }
        for (let n = 0; n < 5; n += 1) expect(await one(pool)).toEqual(ONE);
        expect(await value('pgauge.auth.token.refresh.duration')).toMatchObject({ count: 3 });
        expect(pool.stat()).toMatchObject({ newConnsCount: 3 });
      } finally {
        cleanUp();
      }
    });

    test('never sends its password to a server that asks for it on an unencrypted connection', async () => {
      const source = await started(row);
      const { user, dynamicAuth } = source;
      fake.reply = ({ socket }, piece) => {
        if (piece.length > 0) socket.write(CLEARTEXT_REQUEST);
      };
      const auth = await newDynamicAuthFunc(iamConfig(rds(), { user, dynamicAuth }), user);
      let password = '';
      const pool = await makePool(
        { user, dynamicAuth: undefined },
        {
          beforeConnect: async (target, context) => {
            await auth(target, context);
            ({ password } = target);
            Object.assign(target, { host: fake.host, port: fake.port, ssl: false });
          },
        },
      );
      expect((await rejection(pool.query('select 1'))).message).toContain('clear text on an unencrypted');
      await until('the connection is closed', () => fake.sessions[0]?.closed);
      expect(password).not.toBe('');
      expect(fake.sessions).toHaveLength(1);
      const sent = fake.sessions[0]?.received ?? Buffer.alloc(0);
      // Only the startup message.
      expect(sent.length).toBe(sent.readInt32BE(0));
      expect(sent.toString('latin1')).not.toContain(password);
    });

    for (const fault of FAULTS) {
      const outcome = row.faults[fault];
      if (outcome === undefined) continue;
      const where = outcome === 'rejected' ? 'the server rejects the login' : 'nothing is dialled';
      test(`the source fails (${fault}): ${where}, no secret is exposed, and the pool recovers`, async () => {
        const source = await started(row);
        await source.set(fault);
        const pool = await poolOf(source, { connectTimeoutMs: CONNECT_TIMEOUT_MS });
        const { connections } = rds().gate.stats();
        const error = await rejection(pool.query('select 1'));
        if (outcome === 'rejected') {
          expect(error.code).toMatch(rejectionCode);
          expect(pool.log.named('postgres connect failed')[0]?.fields['hint']).toMatch(row.hint);
        } else {
          expect(error.message).toMatch(outcome);
          expect(error.message.startsWith(prefix)).toBe(true);
          expect(error.code).toMatch(/^ERR_PGAUGE_(AUTH|CONNECT_TIMEOUT)$/);
          expect(rds().gate.stats().connections).toBe(connections);
        }
        expect(pool.totalCount).toBe(0);
        const secrets = [...source.secrets(), 'canary'];
        for (const cause of causes(error)) expectSilent('the error', cause, secrets);
        expectSilent('logs', pool.log.records, secrets);
        await source.set(undefined);
        await until('it heals', async () => (await one(pool).catch(() => [])).length === 1);
      });
    }

    test('is refused with sslMode disable, together with another backend, and with invalid settings', async () => {
      const source = await started(row);
      const config = {
        ...{ host: rds().host, port: rds().port, user: source.user, database: rds().database },
        dynamicAuth: source.dynamicAuth as object,
      };
      const refusals: [object, string][] = [
        [
          { sslMode: 'disable' },
          'dynamicAuth with sslMode disable would send the token in clear: use require or stronger',
        ],
        [
          { dynamicAuth: { ...config.dynamicAuth, other: {} } },
          'dynamicAuth must configure exactly one auth method, but more than one is set',
        ],
        [{ dynamicAuth: { [backend]: 'x' } }, `dynamicAuth.${backend} must be an object`],
        [
          { dynamicAuth: { [backend]: { ...source.dynamicAuth[backend], nothing: 1 } } },
          `unknown key "nothing" in dynamicAuth.${backend}`,
        ],
        ...row.refusedSettings.map(([settings, message]): [object, string] => [
          { dynamicAuth: { [backend]: settings } },
          `dynamicAuth.${backend}${message}`,
        ]),
      ];
      for (const [change, message] of refusals) {
        const given = { ...config, ...change } as Config;
        const expected = { name: 'ConfigError', message: `invalid configuration: ${message}` };
        expect(await rejection(newPool(given))).toMatchObject(expected);
        expect(() => newPoolSync(given)).toThrow(expected.message);
      }
    });

    test("a login rejected after a rotation logs the backend's hint, and the next attempt fetches the password again", async () => {
      const source = await started(row);
      const pool = await poolOf(source, { maxUses: 1 });
      expect(await one(pool)).toEqual(ONE);
      await source.rotate();
      if (row.fetches) {
        const fetches = source.fetches();
        expect(await rejection(pool.query('select 1'))).toMatchObject({
          severity: 'FATAL',
          code: expect.stringMatching(rejectionCode) as string,
        });
        expect(pool.log.named('postgres connect failed')[0]?.fields['hint']).toMatch(row.hint);
        expect(await one(pool)).toEqual(ONE);
        expect(source.fetches()).toBe(fetches + 1);
        // At most once in 10 s: passwords that are wrong for another reason must not cause a flood of fetches.
        await source.rotate();
        for (let n = 0; n < 3; n += 1) await rejection(pool.query('select 1'));
        expect(source.fetches()).toBe(fetches + 1);
      } else {
        expect(await one(pool)).toEqual(ONE);
        expect(pool.log.named('postgres connect failed')).toEqual([]);
      }
    });

    if (row.faults.hang !== undefined) {
      test('a source that hangs does not delay end() and leaves no slot taken', async () => {
        const source = await started(row);
        await source.set('hang');
        const pool = await poolOf(source);
        const pending = rejection(pool.query('select 1'));
        expect(pool.totalCount).toBe(1);
        await pool.end({ waiting: 'reject' });
        expect(await pending).toMatchObject({ code: 'ERR_PGAUGE_POOL_ENDED' });
        expect(pool.totalCount).toBe(0);
      });
    }
  },
);
