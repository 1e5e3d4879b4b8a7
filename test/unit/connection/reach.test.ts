import { describe, expect, it } from 'vitest';
import { reachedServer } from '../../../src/connection/reach.js';
import { AuthError, ConfigError, ConnectTimeoutError } from '../../../src/errors.js';

const failed = (code: string): Error => Object.assign(new Error(code), { code });
const said = (code: string): Error => Object.assign(failed(code), { severity: 'FATAL' });

describe('reachedServer', () => {
  it.each([
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].map(failed),
    ...['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].map(failed),
    ...['57P03', '57P01', '53300', '08006', '08P01'].map(said),
    new ConnectTimeoutError('late'),
    new Error('Connection terminated unexpectedly'),
  ])('is false for a temporary failure: %s', (error) => {
    expect(reachedServer(error, 'tcp')).toBe(false);
  });

  it.each(['28P01', '28000', '3D000', '42501', '53200'].map(said))(
    'is true for a refused login: %s',
    (error) => {
      expect(reachedServer(error, 'auth')).toBe(true);
    },
  );

  it.each([
    failed('CERT_HAS_EXPIRED'),
    new ConfigError('no'),
    new AuthError('no'),
    new Error('other'),
    undefined,
  ])('is undefined for an error that says nothing about the server: %s', (error) => {
    expect(reachedServer(error, 'tls')).toBeUndefined();
  });

  it.each(['hook', 'token', 'init'] as const)('is undefined for any failure in the phase %s', (phase) => {
    for (const error of [failed('ECONNREFUSED'), said('57P01'), new ConnectTimeoutError('late')]) {
      expect(reachedServer(error, phase)).toBeUndefined();
    }
  });
});
