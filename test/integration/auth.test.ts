import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { newDynamicAuthFunc } from '../../src/index.js';
import { setEnv, useCleanEnvironment } from '../support/environment.js';
import { useIamPools } from '../support/iam.js';
import { iamConfig } from '../support/rds-configs.js';
import { useLocalRds } from '../support/servers.js';
import { rejection, until } from '../support/until.js';
import { meterSdk, tracerSdk } from '../support/telemetry.js';

const rds = useLocalRds();
useCleanEnvironment(() => rds().awsEnv);
const makePool = useIamPools(rds);

/** Returns a function that returns what the gate has counted since this call. */
function counting() {
  const before = rds().gate.stats();
  return () => {
    const now = rds().gate.stats();
    const { connections, startups, tokensAccepted, tokensRejected, duplicates } = now;
    return {
      connections: connections - before.connections,
      startups: startups - before.startups,
      accepted: tokensAccepted - before.tokensAccepted,
      rejected: tokensRejected - before.tokensRejected,
      duplicates: duplicates - before.duplicates,
    };
  };
}

describe('a pool with dynamicAuth', () => {
  test('gets one token for each connection and none for a query', async () => {
    const counted = counting();
    const { meterProvider, value } = meterSdk();
    const pool = await makePool(
      { sslMode: 'verify-full', maxOpenConns: 5 },
      { ssl: { ca: rds().caPem }, meterProvider },
    );
    const clients = await Promise.all(Array.from({ length: 5 }, () => pool.connect()));
    for (const client of clients) client.release();
    await Promise.all(Array.from({ length: 50 }, () => pool.query('select 1')));
    expect(counted()).toMatchObject({ connections: 5, startups: 5, accepted: 5, rejected: 0 });
    expect(await value('pgauge.auth.token.refresh.duration')).toMatchObject({ count: 5 });
    expect((await pool.query('select current_user')).rows).toEqual([{ current_user: rds().user }]);
  });

  test('never uses a token twice', async () => {
    const counted = counting();
    const pool = await makePool({ maxOpenConns: 3 });
    for (let n = 1; n <= 3; n += 1) {
      // A token's signature time has a resolution of a second, so two of the same second are equal.
      const second = Math.floor(Date.now() / 1_000);
      await until('the next second', () => Math.floor(Date.now() / 1_000) > second);
      const client = await pool.connect();
      client.release(true);
    }
    expect(counted()).toMatchObject({ connections: 3, accepted: 3, duplicates: 0 });
  });

  test('uses the token instead of a configured password, and reads no password file', async () => {
    setEnv({ PGPASSFILE: '/dev/full', PGPASSWORD: 'wrong' });
    const pool = await makePool({ password: 'only for local development' });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.log.records.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('logs in with temporary credentials, whose tokens are long', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = rds().credentials.issueTemporary({
      sessionTokenLength: 1_400,
    });
    setEnv({
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    });
    const auth = await newDynamicAuthFunc(iamConfig(rds()), rds().user);
    let length = 0;
    const pool = await makePool(
      { dynamicAuth: undefined },
      {
        beforeConnect: async (target, context) => {
          await auth(target, context);
          length = target.password.length;
        },
      },
    );
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(length).toBeGreaterThanOrEqual(1_600);
  });

  test('has a password in its options with which a tool can create its own client', async () => {
    const pool = await makePool({ sslMode: 'verify-full' }, { ssl: { ca: rds().caPem } });
    const { options } = pool as unknown as { options: pg.ClientConfig };
    expect(Object.keys(options)).not.toContain('password');
    for (let n = 0; n < 2; n += 1) {
      const client = new pg.Client({ ...options, password: options.password });
      await client.connect();
      expect((await client.query('select current_user')).rows).toEqual([{ current_user: rds().user }]);
      await client.end();
    }
    expect(pool.totalCount).toBe(0);
  });
});

describe('a hook that composes newDynamicAuthFunc', () => {
  test('must change the host before it fetches the token: a token for another host is rejected', async () => {
    const auth = await newDynamicAuthFunc(iamConfig(rds()), rds().user);
    const before = await makePool(
      { dynamicAuth: undefined },
      {
        beforeConnect: async (target, context) => {
          target.host = '127.0.0.1';
          await auth(target, context);
        },
      },
    );
    const after = await makePool(
      { dynamicAuth: undefined },
      {
        beforeConnect: async (target, context) => {
          await auth(target, context);
          target.host = '127.0.0.1';
        },
      },
    );
    const advertisedHost = rds().host;
    try {
      rds().gate.set({ advertisedHost: '127.0.0.1' });
      expect((await before.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      expect(await rejection(after.query('select 1'))).toMatchObject({ code: '28000' });
      rds().gate.set({ advertisedHost: [advertisedHost, '127.0.0.1'] });
      expect((await after.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    } finally {
      rds().gate.set({ advertisedHost });
    }
  });

  test('signs for the user given to newDynamicAuthFunc, and logs in as that user', async () => {
    await rds().createUser('reader');
    const auth = await newDynamicAuthFunc(iamConfig(rds()), 'reader');
    const pool = await makePool({ dynamicAuth: undefined }, { beforeConnect: auth });
    expect((await pool.query('select current_user')).rows).toEqual([{ current_user: 'reader' }]);
  });

  test('has its token measured by the pool, with a span below that of the hook', async () => {
    const meter = meterSdk();
    const tracer = tracerSdk();
    const auth = await newDynamicAuthFunc(iamConfig(rds()), rds().user);
    const pool = await makePool(
      { dynamicAuth: undefined },
      {
        beforeConnect: auth,
        poolName: 'composed',
        meterProvider: meter.meterProvider,
        tracerProvider: tracer.tracerProvider,
      },
    );
    await pool.query('select 1');
    expect(
      await meter.value('pgauge.auth.token.refresh.duration', {
        'db.client.connection.pool.name': 'composed',
        'pgauge.auth.provider.name': 'awsRdsIam',
      }),
    ).toMatchObject({ count: 1 });
    const token = tracer.span('pgauge.auth.token.refresh');
    const hook = tracer.span('pgauge.connect.hook');
    expect(token.parentSpanContext?.spanId).toBe(hook.spanContext().spanId);
    expect(token.attributes).toEqual({
      'pgauge.auth.provider.name': 'awsRdsIam',
      'cloud.region': rds().region,
    });
  });
});
