import { describe, expect, it } from 'vitest';
import { checkRegion } from '../../../../../src/auth/aws/doctor/region.js';
import { Session } from '../../../../../src/doctor/session.js';

describe('the region of an endpoint', () => {
  it('is compared with the configured region', async () => {
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
