import { describe, expect, it, vi } from 'vitest';
import * as own from '../../src/errors.js';

vi.resetModules();
const other = await import('../../src/errors.js');

describe('instanceof with the error classes', () => {
  it('holds for the errors of another copy of the package', () => {
    const error = new other.ConfigError('text');
    expect(Object.getPrototypeOf(error)).not.toBe(own.ConfigError.prototype);
    expect(error instanceof own.ConfigError).toBe(true);
    expect(error instanceof own.PgaugeError).toBe(true);
    expect(new other.PoolEndedError() instanceof own.PoolEndedError).toBe(true);
  });

  it('distinguishes the classes of both copies', () => {
    for (const { AuthError } of [own, other]) {
      expect(new AuthError('text') instanceof own.ConfigError).toBe(false);
      expect(new AuthError('text') instanceof own.AuthError).toBe(true);
    }
  });

  it("holds for an application's subclass, whose own instanceof matches only its own errors", () => {
    class Refused extends own.ConfigError {}
    expect(new Refused('text') instanceof own.ConfigError).toBe(true);
    expect(new Refused('text') instanceof other.ConfigError).toBe(true);
    expect(new own.ConfigError('text') instanceof Refused).toBe(false);
    expect(new other.ConfigError('text') instanceof Refused).toBe(false);
  });

  it.each([
    undefined,
    null,
    'text',
    0,
    {},
    new Error('text'),
    { code: 'ERR_PGAUGE_CONFIG' },
    Object.create(null),
  ])('does not hold for %s', (value: unknown) => {
    expect(value instanceof own.PgaugeError).toBe(false);
  });
});

describe('the names of the error classes', () => {
  it('are set explicitly, because a minifying bundler renames classes', () => {
    const { ConfigError, AuthError, AcquireTimeoutError, ConnectTimeoutError, PoolEndedError } = own;
    for (const [name, Class] of Object.entries({
      ConfigError,
      AuthError,
      AcquireTimeoutError,
      ConnectTimeoutError,
    })) {
      expect([Class.name, new Class('text').name, String(new Class('text'))]).toEqual([
        name,
        name,
        `${name}: text`,
      ]);
    }
    expect(new PoolEndedError().name).toBe('PoolEndedError');
  });
});
