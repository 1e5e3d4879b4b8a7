import { describe, expect, it } from 'vitest';
import type { FailedLogin } from '../../../src/doctor/addition.js';
import { loginFailure } from '../../../src/doctor/login-failure.js';

function said(code: string, message: string, more: Partial<FailedLogin> = {}) {
  return loginFailure({
    error: Object.assign(new Error(message), { code, severity: 'FATAL' }),
    said: `${code}: ${message}`,
    provider: undefined,
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

describe('the SQL that fixes a login', () => {
  it.each([
    ['28000', 'role is not permitted to log in', 'ALTER ROLE "Order" LOGIN;'],
    ['42501', 'permission denied', 'GRANT CONNECT ON DATABASE "my-app" TO "Order";'],
  ])('after %s %s is: %s', (code, message, sql) => {
    expect(said(code, message).remedy).toContain(sql);
  });
});

it("for an unknown SQLSTATE the remedy points to the server's log", () => {
  expect(said('XX000', 'internal')).toMatchObject({
    code: 'login_failed',
    remedy: "look up what XX000 means in the server's log",
  });
});
