import { describe, expect, it } from 'vitest';
import { loginFailure, type FailedLogin } from '../../../src/doctor/login-failure.js';

function said(code: string, message: string, more: Partial<FailedLogin> = {}) {
  return loginFailure({
    error: Object.assign(new Error(message), { code, severity: 'FATAL' }),
    said: `${code}: ${message}`,
    usedToken: false,
    phase: 'auth',
    gaveUp: false,
    hint: undefined,
    user: 'Order',
    database: 'my-app',
    passwordOrigin: 'PGPASSWORD',
    clock: undefined,
    ...more,
  });
}

describe('the SQL that mends a login', () => {
  it.each([
    ['28P01', '', { usedToken: true }, 'GRANT rds_iam TO "Order";'],
    ['28000', 'PAM authentication failed', {}, 'REVOKE rds_iam FROM "Order";'],
    ['28000', 'role is not permitted to log in', {}, 'ALTER ROLE "Order" LOGIN;'],
    ['42501', 'permission denied', {}, 'GRANT CONNECT ON DATABASE "my-app" TO "Order";'],
  ])('after %s %s %j is: %4$s', (code, message, more, sql) => {
    expect(said(code, message, more).remedy).toContain(sql);
  });
});

it('a SQLSTATE that is not known is looked up in the log of the server', () => {
  expect(said('XX000', 'internal')).toMatchObject({
    code: 'login_failed',
    remedy: "look up what XX000 means in the server's log",
  });
});
