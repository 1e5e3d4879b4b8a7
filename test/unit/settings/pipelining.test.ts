import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { copyConfig } from '../../../src/settings/config-checks.js';
import { poolSettings } from '../../../src/settings/pool-settings.js';

const CONFIG = copyConfig({ host: 'h', port: 5432, user: 'u', database: 'd' });
const settingsOf = (options: object) => poolSettings(options, CONFIG);

describe('the option pipelining', () => {
  it('is off by default, and excludes plain texts by default', () => {
    expect(settingsOf({ pipelining: null }).pipelining).toBeUndefined();
    expect(settingsOf({ pipelining: { depth: 8 } }).pipelining).toEqual({ depth: 8, texts: false });
    expect(settingsOf({ pipelining: { depth: 1, texts: true } }).pipelining).toEqual({
      depth: 1,
      texts: true,
    });
  });

  it.each([0, -1, 1.5, NaN, Infinity, 1_001, '8', undefined])('refuses the depth %s', (depth) => {
    const error = new ConfigError('pipelining.depth must be a whole number from 1 to 1000');
    expect(() => settingsOf({ pipelining: { depth } })).toThrow(error);
  });

  it.each([true, 8, []])('refuses %o', (pipelining) => {
    expect(() => settingsOf({ pipelining })).toThrow(new ConfigError('pipelining must be an object'));
  });

  it('refuses unknown keys, and a value of texts that is not a boolean', () => {
    expect(() => settingsOf({ pipelining: { depth: 8, deep: 1 } })).toThrow(
      'unknown key "deep" in pipelining',
    );
    expect(() => settingsOf({ pipelining: { depth: 8, texts: 1 } })).toThrow('pipelining.texts must be true');
  });

  it('refuses queryTimeoutMs together with it, and names statement_timeout', () => {
    const both = { pipelining: { depth: 8 }, queryTimeoutMs: 1_000 };
    expect(() => settingsOf(both)).toThrow(ConfigError);
    expect(() => settingsOf(both)).toThrow('statement_timeout');
  });

  it.each(['onAcquire', 'resetSession'])('refuses %s together with it', (name) => {
    expect(() => settingsOf({ pipelining: { depth: 8 }, [name]: () => undefined })).toThrow(
      `pipelining and ${name} are mutually exclusive`,
    );
  });
});
