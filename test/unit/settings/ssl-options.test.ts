import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { sslSettings } from '../../../src/settings/ssl-options.js';

describe('the option ssl', () => {
  it.each<[unknown, string]>([
    [true, 'ssl must be an object'],
    ['require', 'ssl must be an object'],
    [{ rejectUnauthorized: false }, 'ssl.rejectUnauthorized is refused: sslMode says what is verified'],
    [{ rejectUnauthorized: true }, 'ssl.rejectUnauthorized is refused: sslMode says what is verified'],
    [
      { checkServerIdentity: () => undefined },
      'ssl.checkServerIdentity is refused: sslMode says what is verified',
    ],
    [{ ciphers: 'NULL' }, 'unknown key "ciphers" in ssl'],
    [{ ca: '' }, 'ssl.ca must not be empty'],
    [{ ca: [''] }, 'ssl.ca must not be empty'],
    [{ ca: 5 }, 'ssl.ca must be PEM text, as a string or Buffer'],
    [{ cert: 'c' }, 'ssl.cert and ssl.key must be given together'],
    [{ key: 'k' }, 'ssl.cert and ssl.key must be given together'],
    [{ cert: '', key: 'k' }, 'ssl.cert must not be empty'],
    [{ cert: 'c', key: {} }, 'ssl.key must be PEM text, as a string or Buffer'],
    [{ passphrase: 5 }, 'ssl.passphrase must be a string'],
    [{ servername: '' }, 'ssl.servername must not be empty'],
    [{ servername: 5 }, 'ssl.servername must be a string'],
    [{ servername: 'a\0b' }, 'ssl.servername must not contain control characters'],
    [{ minVersion: 'TLSv1' }, 'ssl.minVersion must be one of TLSv1.2, TLSv1.3'],
    [{ negotiation: 'at once' }, 'ssl.negotiation must be one of postgres, direct'],
  ])('refuses %o', (value, message) => {
    expect(() => sslSettings(value, 'require')).toThrow(new ConfigError(message));
  });

  it('refuses ssl without encryption', () => {
    expect(() => sslSettings({ ca: 'x' }, 'disable')).toThrow(
      new ConfigError('ssl is given but sslMode is disable: use require or stronger'),
    );
    expect(() => sslSettings({ negotiation: 'direct' }, 'disable')).toThrow(ConfigError);
  });

  it('copies Buffers, and prints neither key nor passphrase', () => {
    const key = Buffer.from('canary-key');
    const ssl = sslSettings(
      { ca: Buffer.from('root'), cert: 'cert', key, passphrase: 'canary-phrase' },
      'require',
    );
    key.fill(0);
    expect(ssl).toMatchObject({ ca: ['root'], cert: 'cert' });
    expect(ssl?.key).toBe('canary-key');
    expect(ssl?.passphrase).toBe('canary-phrase');
    expect(inspect(ssl) + JSON.stringify(ssl)).not.toContain('canary');
  });
});
