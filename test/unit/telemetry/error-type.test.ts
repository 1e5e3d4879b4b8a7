import pg from 'pg';
import { describe, expect, it } from 'vitest';
import {
  AcquireTimeoutError,
  AuthError,
  ConfigError,
  ConnectTimeoutError,
  PoolEndedError,
  QueryTimeoutError,
} from '../../../src/errors.js';
import { ErrorTypes, errorType, MAX_ERROR_TYPES } from '../../../src/telemetry/error-type.js';

const withCode = (code: unknown) => Object.assign(new Error('secret'), { code });
const fromServer = (code: string) =>
  Object.assign(new pg.DatabaseError('secret', 7, 'error'), { code, severity: 'FATAL' });
class HookFailed extends Error {}
class CredentialsProviderError extends Error {}
const cyclic = new AuthError('a');
cyclic.cause = cyclic;

describe('errorType', () => {
  it.each<[string, unknown, string]>([
    ['a server error', fromServer('28P01'), '28P01'],
    ['a refused connection', withCode('ECONNREFUSED'), 'ECONNREFUSED'],
    ['a TLS error', withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['a certificate error', withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [
      'an acquire timeout',
      new AcquireTimeoutError('x', { cause: withCode('ECONNREFUSED') }),
      'acquire_timeout',
    ],
    ['a connect timeout', new ConnectTimeoutError('x'), 'connect_timeout'],
    ['a query timeout', new QueryTimeoutError(5), 'query_timeout'],
    ['an ended pool', new PoolEndedError(), 'ERR_PGAUGE_POOL_ENDED'],
    ['a config error', new ConfigError('x'), 'ERR_PGAUGE_CONFIG'],
    [
      'an auth error by its cause',
      new AuthError('x', { cause: new CredentialsProviderError('y') }),
      'CredentialsProviderError',
    ],
    [
      'nested auth errors by the innermost',
      new AuthError('x', { cause: new AuthError('y', { cause: withCode('ENOENT') }) }),
      'ENOENT',
    ],
    [
      'an auth error that timed out',
      new AuthError('x', { cause: new ConnectTimeoutError('y') }),
      'connect_timeout',
    ],
    ['an auth error without a cause', new AuthError('x'), 'ERR_PGAUGE_AUTH'],
    ['an auth error that causes itself', cyclic, 'ERR_PGAUGE_AUTH'],
    ['an error of a class', new HookFailed('secret'), 'HookFailed'],
    ['a plain error', new Error('secret'), 'Error'],
    ['an abort', AbortSignal.abort().reason, 'AbortError'],
    ['a code that is text', withCode('the password is secret'), 'Error'],
    ['a very long code', withCode('A'.repeat(65)), 'Error'],
    ['a numeric code', withCode(42), 'Error'],
    ['a string', 'secret', '_OTHER'],
    ['a plain object', { message: 'secret' }, '_OTHER'],
    ['undefined', undefined, '_OTHER'],
    ['null', null, '_OTHER'],
    ['a function', () => 'secret', '_OTHER'],
    ['an object without a prototype', Object.create(null), '_OTHER'],
  ])('names %s', (_title, error, expected) => {
    expect(errorType(error)).toBe(expected);
  });

  it('is _OTHER for a value whose every property throws', () => {
    const hostile = new Proxy(new Error('secret'), {
      get() {
        throw new Error('secret');
      },
      getPrototypeOf() {
        throw new Error('secret');
      },
    });
    expect(errorType(hostile)).toBe('_OTHER');
  });

  it('is the class name of an error whose code throws', () => {
    class Trap extends Error {
      get code(): string {
        throw new Error('secret');
      }
    }
    expect(errorType(new Trap())).toBe('Trap');
  });

  it('ignores a class name that is not an identifier', () => {
    class Odd extends Error {
      static override readonly name = 'password=hunter2 for user' as const;
    }
    expect(errorType(new Odd())).toBe('_OTHER');
  });
});

describe('ErrorTypes', () => {
  it('reports a limited number of types, and keeps reporting the first ones', () => {
    const types = new ErrorTypes();
    const all = Array.from({ length: MAX_ERROR_TYPES + 10 }, (_, n) => types.of(withCode(`ERR_${n}`)));
    expect(new Set(all).size).toBe(MAX_ERROR_TYPES + 1);
    expect(all.at(-1)).toBe('_OTHER');
    expect(types.of(withCode('ERR_0'))).toBe('ERR_0');
  });
});
