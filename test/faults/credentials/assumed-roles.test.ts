import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSts, type Sts } from '../../../local-rds/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { useLocalRds } from '../../support/servers.js';
import { meterSdk } from '../../support/telemetry.js';
import { rejection } from '../../support/until.js';

const rds = useLocalRds();
useCleanEnvironment(() => rds().awsEnv);
const makePool = useIamPools(rds);

const APP = { arn: 'arn:aws:iam::123456789012:role/app' };
const REPORT = { arn: 'arn:aws:iam::222222222222:role/report', externalId: 'shop' };

let sts: Sts;
beforeEach(async () => {
  const { credentials, region } = rds();
  sts = await startSts({ credentials, region, roles: [APP, REPORT] });
  setEnv(sts.env);
});
afterEach(() => sts.stop());

/** A pool that signs its tokens as a role. */
function poolAs({ arn, externalId }: { arn: string; externalId?: string }, meter = meterSdk()) {
  const role = { roleArn: arn, ...(externalId !== undefined && { externalId }) };
  return makePool(
    { dynamicAuth: { awsRdsIam: { region: rds().region, ...role } } },
    { meterProvider: meter.meterProvider },
  );
}

const roles = (): string[] => sts.assumed.map(({ roleArn }) => roleArn);

describe('two pools of one process', () => {
  test('log in as two roles, each assumed once for all its connections', async () => {
    const [app, report] = [await poolAs(APP), await poolAs(REPORT)];
    const queries = [app, report].flatMap((pool) =>
      Array.from({ length: 20 }, () => pool.query<{ one: number }>('select 1 as one')),
    );
    for (const { rows } of await Promise.all(queries)) expect(rows).toEqual([{ one: 1 }]);
    expect(roles().sort()).toEqual([APP.arn, REPORT.arn]);
  });

  test("each sign with their own role's key", async () => {
    const [app, report] = [await poolAs(APP), await poolAs(REPORT)];
    for (const pool of [app, report]) (await pool.connect()).release(true);
    const key = sts.assumed.find(({ roleArn }) => roleArn === APP.arn)?.key.accessKeyId ?? '';
    expect(rds().credentials.remove(key)).toBe(true);
    (await report.connect()).release(true);
    expect(await rejection(app.connect())).toMatchObject({ code: '28000' });
    expect(roles()).toEqual([APP.arn, REPORT.arn]);
  });

  test('with the same role share its session', async () => {
    for (const pool of [await poolAs(APP), await poolAs(APP)]) await pool.query('select 1');
    expect(roles()).toEqual([APP.arn]);
  });

  test("report the fetches and the expiration of their role's credentials", async () => {
    const meter = meterSdk();
    sts.setSessionLifetime(3_600_000);
    const pool = await poolAs(REPORT, meter);
    await pool.query('select 1');
    expect(await meter.value('pgauge.auth.credentials.fetch.duration')).toMatchObject({ count: 1 });
    const expiration = await meter.value('pgauge.auth.credentials.expiration');
    expect(expiration).toBeCloseTo((sts.assumed[0]?.key.expiration.getTime() ?? 0) / 1_000, -1);
  });
});

describe('a role that cannot be assumed', () => {
  test.each<[string, () => Parameters<typeof poolAs>[0], RegExp]>([
    ['without its external ID', () => ({ arn: REPORT.arn }), /AccessDenied|not authorized/i],
    ['that does not exist', () => ({ arn: `${APP.arn}2` }), /AccessDenied|not authorized/i],
  ])('%s rejects with AuthError, and no connection is dialled', async (_title, role, message) => {
    const { connections } = rds().gate.stats();
    const error = await rejection((await poolAs(role())).query('select 1'));
    expect(error).toMatchObject({ code: 'ERR_PGAUGE_AUTH' });
    expect(error.message).toMatch(/^dynamic auth \(awsRdsIam\): failed to build authentication token: /);
    expect(error.message).toMatch(message);
    expect(rds().gate.stats().connections).toBe(connections);
  });

  test('while STS is down is assumed once STS is back', async () => {
    const pool = await poolAs(APP);
    sts.set({ status: 403, body: 'canary' });
    const error = await rejection(pool.query('select 1'));
    expect(error.message).not.toContain('canary');
    sts.set({});
    await pool.query('select 1');
  });
});

describe('a role session whose key is no longer accepted', () => {
  test('is replaced after the first rejected login', async () => {
    const pool = await poolAs(APP);
    (await pool.connect()).release(true);
    const [first] = sts.assumed;
    rds().credentials.remove(first?.key.accessKeyId ?? '');
    expect(await rejection(pool.connect())).toMatchObject({ code: '28000' });
    (await pool.connect()).release();
    expect(roles()).toEqual([APP.arn, APP.arn]);
  });
});
