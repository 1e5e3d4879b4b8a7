import { describe, expect, it } from 'vitest';
import {
  effectiveLifetimeMs,
  effectiveMax,
  effectiveMin,
  effectiveSslMode,
} from '../../../src/settings/config.js';

describe('the effective value of a config field', () => {
  it('is the default for a field that is 0 or unset', () => {
    for (const config of [{}, { maxOpenConns: 0, minConns: 0, connMaxLifetimeMs: 0, sslMode: undefined }]) {
      expect(effectiveMax(config)).toBe(10);
      expect(effectiveMin(config)).toBe(0);
      expect(effectiveLifetimeMs(config)).toBe(3_600_000);
      expect(effectiveSslMode(config)).toBe('require');
    }
  });

  it('is the given value', () => {
    expect(effectiveMax({ maxOpenConns: 3 })).toBe(3);
    expect(effectiveMin({ minConns: 2 })).toBe(2);
    expect(effectiveLifetimeMs({ connMaxLifetimeMs: 5 })).toBe(5);
    expect(effectiveSslMode({ sslMode: 'disable' })).toBe('disable');
  });
});
