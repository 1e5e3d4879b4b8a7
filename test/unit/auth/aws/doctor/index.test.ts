import { describe, expect, it } from 'vitest';
import { awsDoctor } from '../../../../../src/auth/aws/doctor/index.js';
import { USAGE } from '../../../../../src/doctor/arguments.js';
import { loginFailure } from '../../../../../src/doctor/login-failure.js';

function rejected(code: string, message: string, provider: 'awsRdsIam' | undefined) {
  return loginFailure({
    error: Object.assign(new Error(message), { code, severity: 'FATAL' }),
    said: `${code}: ${message}`,
    provider,
    phase: 'auth',
    gaveUp: false,
    hint: 'the hint',
    user: 'Order',
    database: 'my-app',
    passwordOrigin: 'PGPASSWORD',
    clock: undefined,
  });
}

describe('a login that RDS rejects', () => {
  it.each([
    ['28P01', '', 'awsRdsIam', 'not_granted_rds_iam', 'GRANT rds_iam TO "Order";'],
    [
      '28000',
      'PAM authentication failed',
      undefined,
      'password_for_iam_user',
      'REVOKE rds_iam FROM "Order";',
    ],
    ['28000', 'PAM authentication failed', 'awsRdsIam', 'token_rejected', 'the hint. Look also at the host'],
  ] as const)(
    'after %s %s with the token of %s is explained as %s',
    (state, message, provider, code, remedy) => {
      const outcome = rejected(state, message, provider);
      expect(outcome).toMatchObject({ status: 'failed', code });
      expect(outcome.remedy).toContain(remedy);
    },
  );
});

describe('the flags of AWS RDS IAM', () => {
  it('are in the usage between the certificates and the maximum', () => {
    expect(USAGE).toMatch(/--ca <file>.*\n {2}--region <name>.*\n[^]*\n {2}--max <n>/);
    for (const { usage } of awsDoctor.flags) expect(USAGE).toContain(usage);
  });

  it('ask for no token when none is given', () => {
    expect(awsDoctor.settings({})).toBeUndefined();
    expect(awsDoctor.settings({ region: 'detect' })).toEqual({ region: 'detect' });
    expect(
      awsDoctor.settings({ region: 'x', 'aws-profile': 'p', 'role-arn': 'r', 'external-id': 'e' }),
    ).toEqual({
      ...{ region: 'x', profile: 'p', roleArn: 'r', externalId: 'e' },
    });
  });
});
