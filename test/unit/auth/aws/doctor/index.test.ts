import { describe, expect, it } from 'vitest';
import { awsDoctor } from '../../../../../src/auth/aws/doctor/index.js';
import { askedAuth } from '../../../../../src/auth/doctor.js';
import { USAGE } from '../../../../../src/doctor/arguments.js';
import { loginFailure } from '../../../../../src/doctor/login-failure.js';

const IDENTITY = { 'aws-profile': 'p', 'role-arn': 'r', 'external-id': 'e', 'session-name': 'n' };
const AS_SETTINGS = { profile: 'p', roleArn: 'r', externalId: 'e', sessionName: 'n' };

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
  it('are in the usage between --ca and --max', () => {
    expect(USAGE).toMatch(/--ca <file>.*\n {2}--region <name>.*\n[^]*\n {2}--max <n>/);
    for (const { usage } of awsDoctor.flags) expect(USAGE).toContain(usage);
  });

  it('enable token logins only when one is given', () => {
    expect(awsDoctor.settings({})).toBeUndefined();
    expect(awsDoctor.settings({ region: 'detect' })).toEqual({ region: 'detect' });
    expect(awsDoctor.settings({ region: 'x', ...IDENTITY })).toEqual({ region: 'x', ...AS_SETTINGS });
  });
});

describe('the flags of the identity', () => {
  it.each([
    ['RDS IAM', { region: 'us-east-1' }, { awsRdsIam: { region: 'us-east-1', ...AS_SETTINGS } }],
    ['Aurora DSQL', { 'aws-dsql': true }, { awsDsql: AS_SETTINGS }],
    [
      'Secrets Manager',
      { 'secret-id': 's', 'secret-region': 'us-east-1' },
      { awsSecretsManager: { secretId: 's', region: 'us-east-1', ...AS_SETTINGS } },
    ],
    ['RDS IAM, without any other', {}, { awsRdsIam: AS_SETTINGS }],
  ])('belong to %s', (_backend, flags, dynamicAuth) => {
    expect(askedAuth({ ...flags, ...IDENTITY })?.dynamicAuth).toEqual(dynamicAuth);
  });
});
