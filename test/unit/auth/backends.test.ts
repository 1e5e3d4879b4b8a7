import { describe, expect, it } from 'vitest';
import { BACKENDS, checkDynamicAuth } from '../../../src/auth/backends.js';
import { ConfigError } from '../../../src/errors.js';

describe('checkDynamicAuth', () => {
  it('returns the configured backend, a copy of its settings and their path', () => {
    const awsRdsIam = { region: 'eu-west-1' };
    const auth = checkDynamicAuth({ awsRdsIam });
    awsRdsIam.region = 'other';
    expect(auth).toMatchObject({ name: 'awsRdsIam', path: 'dynamicAuth.awsRdsIam' });
    expect({ ...auth?.settings }).toEqual({ region: 'eu-west-1' });
    expect(auth?.backend).toBe(BACKENDS.awsRdsIam);
  });

  it.each([null, undefined])('finds no backend in %s', (dynamicAuth) => {
    expect(checkDynamicAuth(dynamicAuth)).toBeUndefined();
  });

  it('leaves the settings for the backend to check', () => {
    expect(() => checkDynamicAuth({ awsRdsIam: {} })).not.toThrow();
    expect(() => BACKENDS.awsRdsIam.check({}, 'here')).toThrow(new ConfigError('here.region is required'));
  });
});
