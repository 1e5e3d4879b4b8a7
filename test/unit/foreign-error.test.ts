import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { isRejectedLogin, sqlState } from '../../src/foreign-error.js';

const withCode = (code: unknown) => Object.assign(new Error('secret'), { code });
const fromServer = (code: string) =>
  Object.assign(new pg.DatabaseError('secret', 7, 'error'), { code, severity: 'FATAL' });

describe('sqlState', () => {
  it('is the code of a server error only', () => {
    expect(sqlState(fromServer('57P03'))).toBe('57P03');
    expect(sqlState(withCode('EPIPE'))).toBeUndefined();
    expect(sqlState('28P01')).toBeUndefined();
  });

  it('is undefined for a value whose every property throws', () => {
    const hostile = new Proxy(new Error('secret'), {
      get() {
        throw new Error('secret');
      },
    });
    expect(sqlState(hostile)).toBeUndefined();
  });
});

describe('isRejectedLogin', () => {
  it('is true for SQLSTATE class 28 from the server only', () => {
    expect(['28P01', '28000'].map((code) => isRejectedLogin(fromServer(code)))).toEqual([true, true]);
    expect(isRejectedLogin(fromServer('57P03'))).toBe(false);
    expect(isRejectedLogin(withCode('28P01'))).toBe(false);
  });
});
