import { describe, expect, it } from 'vitest';
import { checkRegion, regionOfHost } from '../../../../../src/auth/aws/doctor/region.js';
import { Session } from '../../../../../src/doctor/session.js';

describe('the region of a host', () => {
  it.each([
    ['db.abc.eu-central-1.rds.amazonaws.com', 'eu-central-1'],
    ['DB.cluster-abc.us-gov-west-1.rds.amazonaws.com.', 'us-gov-west-1'],
    ['db.abc.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['db.abc.eu-central-1.rds.amazonaws.com.evil.example', undefined],
    ['localhost', undefined],
  ])('%s: %s', (host, region) => {
    expect(regionOfHost(host)).toBe(region);
  });

  it('is held against the region asked for', async () => {
    const session = new Session(
      {
        config: { dynamicAuth: { awsRdsIam: { region: 'us-east-1' } } },
        origins: {},
        caFile: undefined,
        max: 10,
        timeoutMs: 1_000,
      },
      {},
    );
    const host = 'db.abc.eu-central-1.rds.amazonaws.com';
    session.set('config', { host, port: 5432, user: 'app', database: 'app' });
    const outcome = await checkRegion(session, new AbortController().signal);
    expect(outcome).toMatchObject({ status: 'warning', code: 'region_mismatch' });
    expect(outcome.remedy).toContain('--region eu-central-1');
  });
});
