import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AccessKey } from '../../../local-rds/index.js';
import type { InstrumentedPool } from '../../../src/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import type { RecordingLogger } from '../../support/logger.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { meterSdk } from '../../support/telemetry.js';

const rds = useLocalRds();
const place = useCleanEnvironment(() => rds().awsEnv);
const makePool = useIamPools(rds);

const ONE = [{ one: 1 }];

/** Checks a login that the server rejects: the code surfaces, nothing stays open, and the log has a hint. */
async function expectRejected(pool: InstrumentedPool & { readonly log: RecordingLogger }): Promise<void> {
  const { connections } = rds().gate.stats();
  const error = await rejection(pool.query('select 1'));
  expect(error).toMatchObject({ code: '28000', severity: 'FATAL' });
  expect(pool.totalCount).toBe(0);
  await until('the gate has lost the connection', () => rds().gate.stats().open === 0);
  // There is no retry.
  expect(rds().gate.stats().connections - connections).toBe(1);
  expect(pool.log.named('postgres connect failed')[0]).toMatchObject({
    level: 'warn',
    fields: { error_type: '28000', phase: 'auth', hint: expect.stringContaining('clock') as string },
  });
  expect(pool.log.closeReasons.at(-1)).toBe('auth');
}

describe('a rejected login', () => {
  test('rejects with 28000 and a hint, and the pool works once the server accepts tokens again', async () => {
    const pool = await makePool();
    rds().gate.set({ rejectTokens: true });
    try {
      await expectRejected(pool);
    } finally {
      rds().gate.set({ rejectTokens: false });
    }
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });

  test.each([
    ['fast', -20 * 60_000],
    ['slow', 20 * 60_000],
  ])('results from a %s clock, and the pool works once the clock is right', async (_how, skewMs) => {
    const pool = await makePool();
    rds().gate.set({ clock: () => new Date(Date.now() + skewMs) });
    try {
      await expectRejected(pool);
    } finally {
      rds().gate.set({ clock: () => new Date() });
    }
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });

  test('after a key rotation in the credentials file is followed by a successful one, without a restart', async () => {
    setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    const write = ({ accessKeyId, secretAccessKey }: AccessKey): void => {
      const lines = [
        '[default]',
        `aws_access_key_id=${accessKeyId}`,
        `aws_secret_access_key=${secretAccessKey}`,
      ];
      writeFileSync(join(place.home, 'credentials'), lines.join('\n'));
    };
    write(rds().credentials.current);
    const pool = await makePool();
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
    const held = await pool.connect();
    write(rds().credentials.rotate());
    // The old key is still in memory; its rejection drops it.
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28000' });
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
    expect((await held.query('select 1 as one')).rows).toEqual(ONE);
    held.release();
  });

  test('after a key rotation in the environment is followed by a successful one, without a restart', async () => {
    const pool = await makePool();
    rds().credentials.rotate();
    await expectRejected(pool);
    setEnv(rds().awsEnv);
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });

  test('results from an expired session, and a new session works', async () => {
    const sessionEnv = (lifetimeMs: number) => {
      const { accessKeyId, secretAccessKey, sessionToken } = rds().credentials.issueTemporary({ lifetimeMs });
      return {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
      };
    };
    setEnv(sessionEnv(60_000));
    const pool = await makePool();
    const held = await pool.connect();
    expect((await held.query('select 1 as one')).rows).toEqual(ONE);
    rds().gate.set({ clock: () => new Date(Date.now() + 60_000) });
    try {
      const error = await rejection(pool.query('select 1'));
      expect(error).toMatchObject({ code: '28000', severity: 'FATAL' });
      expect(rds().gate.stats().lastRejectReason).toMatch(/key/);
      expect(pool.log.named('postgres connect failed')[0]?.fields['hint']).toContain('IAM policy');
      setEnv(sessionEnv(600_000));
      expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
      // A session that has logged in stays valid.
      expect((await held.query('select 1 as one')).rows).toEqual(ONE);
    } finally {
      rds().gate.set({ clock: () => new Date() });
      held.release();
    }
  });

  test('results from a deleted key at every attempt, each with its own token, until the key is accepted again', async () => {
    const { meterProvider, value } = meterSdk();
    const pool = await makePool({ maxOpenConns: 3 }, { meterProvider });
    const key = rds().credentials.current;
    rds().credentials.remove(key.accessKeyId);
    const { connections } = rds().gate.stats();
    try {
      const errors = await Promise.all(Array.from({ length: 6 }, () => rejection(pool.query('select 1'))));
      expect(errors.map(({ code }) => code)).toEqual(Array(6).fill('28000'));
      expect(rds().gate.stats().connections - connections).toBe(6);
      expect(await value('pgauge.auth.token.refresh.duration')).toMatchObject({ count: 6 });
      expect(pool.totalCount).toBe(0);
    } finally {
      rds().credentials.add(key);
    }
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });

  test('also results from a token for another user, region or endpoint', async () => {
    await rds().postgres.query('create role nobody_knows login');
    const user = await makePool({ user: 'nobody_knows' });
    // The user is not a member of rds_iam: the server asks for a password, and a token is not one.
    expect(await rejection(user.query('select 1'))).toMatchObject({ code: '28P01' });
    await expectRejected(await makePool({ dynamicAuth: { awsRdsIam: { region: 'us-east-1' } } }));
    expect(rds().gate.stats().lastRejectReason).toContain('region');
    await expectRejected(await makePool({ host: '127.0.0.1' }));
    expect(rds().gate.stats().lastRejectReason).toMatch(/host|endpoint/);
  });
});
