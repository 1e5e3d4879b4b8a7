import { afterEach, describe, expect, it } from 'vitest';
import { checkDynamicAuth } from '../../../src/auth/backends.js';
import { newAuthToken, type Config, type DynamicAuthCustom } from '../../../src/index.js';
import { copyConfig } from '../../../src/settings/config-checks.js';

const configWith = (custom: DynamicAuthCustom): Config => ({
  ...{ host: 'db', port: 5432, user: 'app', database: 'app' },
  dynamicAuth: { custom },
});

class Vault {
  readonly name = 'vault';
  readonly #token = 'of the instance';
  /** Not a setting. */
  readonly url = 'https://vault';
  issue(): string {
    return `password ${this.#token}`;
  }
}

afterEach(() => void Reflect.deleteProperty(Object.prototype, 'hint'));

describe('a custom backend', () => {
  it('may return the password synchronously', async () => {
    expect(await newAuthToken(configWith({ name: 'vault', issue: () => 'at once' }), 'app')).toBe('at once');
  });

  it('may be a class instance, also in a frozen copy of a config', async () => {
    const config = configWith(new Vault());
    expect(await newAuthToken(config, 'app')).toBe('password of the instance');
    expect(await newAuthToken(copyConfig(copyConfig(config)), 'app')).toBe('password of the instance');
  });

  it('is called as a method, with target, settings and signal', async () => {
    const settings = { key: 'k' };
    const custom: DynamicAuthCustom = {
      name: 'vault',
      settings,
      issue(target, context) {
        expect(this).toBe(custom);
        expect(target).toEqual({ host: 'db', port: 5432, user: 'someone' });
        expect(context.settings).toBe(settings);
        expect(context.signal).toBeInstanceOf(AbortSignal);
        return 'x';
      },
    };
    expect(await newAuthToken(configWith(custom), 'someone')).toBe('x');
  });

  it.each(['plain object', 'instance'])('reads nothing from a polluted Object.prototype: %s', (kind) => {
    Object.assign(Object.prototype, { hint: 'of everything' });
    const custom = kind === 'instance' ? new Vault() : { name: 'vault', issue: () => 'x' };
    expect(Object.keys(checkDynamicAuth({ custom })?.settings ?? {}).sort()).toEqual(['issue', 'name']);
  });

  it('reads each setting once', () => {
    let reads = 0;
    const custom = {
      get name() {
        reads += 1;
        return 'vault';
      },
      issue: () => 'x',
    };
    expect(checkDynamicAuth({ custom })?.provider).toBe('vault');
    expect(reads).toBe(1);
  });
});
