import { inspect } from 'node:util';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/settings/config.js';
import { copyConfig, validateConfig } from '../../../src/settings/config-checks.js';
import { defineConfig, logValue } from '../../../src/settings/redacted-view.js';

const BASE: Config = { host: 'db.example.com', port: 5432, user: 'alice', database: 'app' };
const SECRET: Config = {
  ...BASE,
  sslMode: 'verify-full',
  password: 'canary-1',
  migrationPassword: 'canary-2',
  dynamicAuth: { awsRdsIam: { region: 'eu-west-1' } },
};
const VIEW = {
  host: 'db.example.com',
  port: 5432,
  user: 'alice',
  database: 'app',
  ssl_mode: 'verify-full',
  has_password: true,
  has_migration_password: true,
  dynamic_auth: true,
};

describe('logValue', () => {
  it('shows which secrets are set, but not their values', () => {
    expect(logValue(SECRET)).toStrictEqual(VIEW);
  });

  it('shows several hosts and targetSessionAttrs', () => {
    const hosts = [{ host: 'a' }, { host: 'b', port: 2 }];
    expect(logValue({ ...BASE, host: undefined, hosts, targetSessionAttrs: 'primary' })).toMatchObject({
      hosts,
      target_session_attrs: 'primary',
    });
  });

  it('shows unset fields as unset', () => {
    expect(logValue({ ...BASE, password: '' })).toStrictEqual({
      ...VIEW,
      ssl_mode: undefined,
      has_password: false,
      has_migration_password: false,
      dynamic_auth: false,
    });
  });

  it('is undefined without a config', () => {
    expect(logValue(null)).toBeUndefined();
    expect(logValue(undefined)).toBeUndefined();
  });
});

describe('defineConfig', () => {
  const config = defineConfig(SECRET);

  it('is a frozen config that can be used', () => {
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.dynamicAuth)).toBe(true);
    expect(config.password).toBe('canary-1');
    expect({ ...copyConfig(config) }).toEqual({ ...copyConfig(SECRET) });
    expect({ ...copyConfig(defineConfig(config)) }).toEqual({ ...copyConfig(SECRET) });
  });

  it('keeps the secrets usable when it is spread', () => {
    const spread = { ...config, database: 'other' };
    expect(spread).toEqual({ ...SECRET, database: 'other' });
    expect(copyConfig(spread)).toMatchObject({
      password: 'canary-1',
      migrationPassword: 'canary-2',
      database: 'other',
    });
  });

  it('ignores later changes to the original object', () => {
    const init = { ...SECRET, password: 'canary-3' };
    const made = defineConfig(init);
    init.password = 'changed';
    expect(made.password).toBe('canary-3');
  });

  it('prints as its redacted view in JSON', () => {
    expect(JSON.parse(JSON.stringify({ nested: [config] }))).toEqual({ nested: [VIEW] });
  });

  it('prints as its redacted view in util.inspect', () => {
    expect(inspect(config)).toBe(inspect(VIEW));
    expect(inspect({ nested: config })).toBe(inspect({ nested: VIEW }));
    expect(inspect({ a: { b: { c: config } } }, { depth: 9, showHidden: true })).toContain(
      'has_password: true',
    );
  });

  it.each([
    { showHidden: true },
    { customInspect: false },
    { customInspect: false, showHidden: true, depth: null },
    { depth: 0 },
    { showProxy: true },
  ])('prints no secret with %o', (options) => {
    expect(inspect(config, options)).not.toContain('canary');
    expect(inspect({ nested: config }, options)).not.toContain('canary');
  });

  it('prints as its redacted view in a pino record', () => {
    const lines: string[] = [];
    pino({}, { write: (line: string) => void lines.push(line) }).info({ config }, 'text');
    expect(JSON.parse(lines.join(''))).toMatchObject({ msg: 'text', config: VIEW });
    expect(lines.join('')).not.toContain('canary');
  });

  it('prints its redacted view when it is the pino record itself', () => {
    const lines: string[] = [];
    pino({}, { write: (line: string) => void lines.push(line) }).info(config, 'text');
    expect(JSON.parse(lines.join(''))).toMatchObject({ msg: 'text', res: { headers: VIEW } });
    expect(lines.join('')).not.toContain('canary');
  });

  it('keeps invalid fields, which validation then reports', () => {
    expect(() => validateConfig(defineConfig({ ...BASE, nonsense: 1 } as Config))).toThrow(
      'unknown key "nonsense"',
    );
    expect(() => defineConfig(null as never)).toThrow('config is nil');
  });
});
