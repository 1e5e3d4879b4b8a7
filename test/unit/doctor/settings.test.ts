import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/cli/options.js';
import { readArguments, type Arguments } from '../../../src/doctor/arguments.js';
import { settingsOf } from '../../../src/doctor/settings.js';

function given(...args: string[]): Arguments {
  const read = readArguments(args);
  if (typeof read === 'string') throw new Error(`read as ${read}`);
  return read;
}

describe("the doctor's settings", () => {
  it('prefer a flag to its variable, and record the origin of each', () => {
    const env = { PGHOST: 'from-env', PGPORT: '6000', PGUSER: 'env-user', PGDATABASE: '' };
    const { config, origins } = settingsOf(given('--host', 'from-flag', '--port', '5433'), env);
    expect(config).toEqual({ host: 'from-flag', port: 5433, user: 'env-user', maxOpenConns: 10 });
    expect(origins).toEqual({ host: '--host', port: '--port', user: 'PGUSER', maxOpenConns: '--max' });
  });

  it('dial port 5432 by default', () => {
    expect(settingsOf(given(), {})).toMatchObject({ config: { port: 5432 }, origins: { port: 'default' } });
  });

  it('keep a port that is not a number, so that it is refused later', () => {
    expect(settingsOf(given(), { PGPORT: '54x' }).config.port).toBe('54x');
  });

  it('take the password from the environment only', () => {
    expect(settingsOf(given(), { PGPASSWORD: 'secret' })).toMatchObject({
      config: { password: 'secret' },
      origins: { password: 'PGPASSWORD' },
    });
    expect(() => given('--password', 'x')).toThrow(UsageError);
  });

  it('log in with tokens when a region is given', () => {
    expect(settingsOf(given('--region', 'detect'), {}).config.dynamicAuth).toEqual({
      awsRdsIam: { region: 'detect' },
    });
    expect(settingsOf(given(), { AWS_REGION: 'us-east-1' }).config.dynamicAuth).toBeUndefined();
  });

  it('take the timeout in seconds', () => {
    expect(given('--timeout', '7').timeoutMs).toBe(7_000);
    expect(given().timeoutMs).toBe(30_000);
  });
});
