import { Signer } from '@aws-sdk/rds-signer';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { SecretKey } from '../sigv4-signature.js';
import { verifyToken, type TokenExpectation } from '../sigv4.js';

const SIGNED_AT = new Date('2026-03-04T05:06:07Z');
const LONG_LIVED = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret/+key' };
const TEMPORARY = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'other',
  sessionToken: 'a+b/c==' + 'x'.repeat(1200),
};

const expected: TokenExpectation = {
  host: 'db.example.com',
  port: 5432,
  user: 'app',
  region: 'eu-central-1',
  now: SIGNED_AT,
  credentials: (id): SecretKey | undefined =>
    [LONG_LIVED, TEMPORARY].find(({ accessKeyId }) => accessKeyId === id),
};

type Target = Partial<{ hostname: string; port: number; username: string; region: string }>;

/** A token of the real signer, signed at `SIGNED_AT`. */
async function sign(target: Target = {}, credentials: typeof LONG_LIVED = LONG_LIVED): Promise<string> {
  vi.useFakeTimers({ now: SIGNED_AT, toFake: ['Date'] });
  try {
    const defaults = { hostname: 'db.example.com', port: 5432, username: 'app', region: 'eu-central-1' };
    return await new Signer({ ...defaults, ...target, credentials }).getAuthToken();
  } finally {
    vi.useRealTimers();
  }
}

function verdict(token: string, changes: Partial<TokenExpectation> = {}): string {
  const result = verifyToken(token, { ...expected, ...changes });
  return result.ok ? 'ok' : result.reason;
}

const later = (seconds: number): Date => new Date(SIGNED_AT.getTime() + seconds * 1000);

describe('verifyToken, given a token of the AWS SDK', () => {
  let token: string;
  let temporary: string;

  beforeAll(async () => {
    token = await sign();
    temporary = await sign({}, TEMPORARY);
  });

  it('accepts a token of a long-lived key', () => {
    expect(verdict(token)).toBe('ok');
  });

  it('accepts a token of a temporary key', () => {
    expect(verdict(temporary)).toBe('ok');
  });

  it.each(['a b', "o'hara", 'x+y', 'ü@ß', 'a&b=c', '100%', '!*()', 'a/b?c#d', '~.-_', '%41', '日本'])(
    'accepts a token for the user %j, and for that user only',
    async (user) => {
      const forUser = await sign({ username: user });
      expect(verdict(forUser, { user })).toBe('ok');
      expect(verdict(forUser)).toBe('signed for another user');
    },
  );

  it.each(['::1', '[::1]'])(
    'accepts the IPv6 address in the form that the signer got: %s',
    async (hostname) => {
      expect(verdict(await sign({ hostname }), { host: '::1' })).toBe('ok');
    },
  );

  it.each<[string, Target, string]>([
    ['host', { hostname: 'other.example.com' }, 'signed for another host or port'],
    ['port', { port: 5433 }, 'signed for another host or port'],
    ['user', { username: 'admin' }, 'signed for another user'],
    ['region', { region: 'us-east-1' }, 'signed for another region'],
  ])('rejects a token signed for another %s', async (_, target, reason) => {
    expect(verdict(await sign(target))).toBe(reason);
  });

  it('rejects a token of an unknown key', () => {
    expect(verdict(token, { credentials: () => undefined })).toBe('unknown access key');
  });

  it('rejects a token signed with another secret', () => {
    const secretAccessKey = 'rotated';
    expect(verdict(token, { credentials: () => ({ secretAccessKey }) })).toBe('wrong signature');
  });

  it('rejects a temporary key’s token if its session token has changed or is missing', () => {
    const { secretAccessKey } = TEMPORARY;
    const credentials = () => ({ secretAccessKey, sessionToken: 'another' });
    expect(verdict(temporary, { credentials })).toBe('wrong session token');
    expect(verdict(temporary, { credentials: () => ({ secretAccessKey }) })).toBe(
      'session token is not expected',
    );
    expect(verdict(token, { credentials })).toBe('session token is missing');
  });

  it('is valid from 5 minutes before its date to 900 s after it', () => {
    expect(verdict(token, { now: later(900) })).toBe('ok');
    expect(verdict(token, { now: later(901) })).toBe('expired');
    expect(verdict(token, { now: later(-300) })).toBe('ok');
    expect(verdict(token, { now: later(-301) })).toBe('dated in the future');
  });

  it.each<[string, string | RegExp, string, string]>([
    ['action', 'Action=connect', 'Action=delete', 'action is not connect'],
    ['action, absent', 'Action=connect&', '', 'action is not connect'],
    ['host', /^db/, 'dc', 'signed for another host or port'],
    ['port', ':5432/', ':5433/', 'signed for another host or port'],
    ['user', 'DBUser=app', 'DBUser=root', 'signed for another user'],
    ['region', 'eu-central-1', 'eu-west-1', 'signed for another region'],
    ['service', '%2Frds-db%2F', '%2Fs3%2F', 'signed for another service'],
    ['terminator', 'aws4_request', 'aws5_request', 'malformed credential scope'],
    ['algorithm', 'AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1', 'unknown algorithm'],
    ['signed headers', 'SignedHeaders=host', 'SignedHeaders=host%3Bx', 'signed headers are not exactly host'],
    ['date', '20260304T050607Z', '20260304T050608Z', 'wrong signature'],
    ['date and its day', /20260304/g, '20260303', 'expired'],
    ['day of the scope', '%2F20260304', '%2F20260305', 'scope of another day than the date'],
    ['date, not a day', '20260304T', '20260231T', 'malformed date'],
    ['date, not a date', '20260304T050607Z', 'yesterday', 'malformed date'],
    ['expiry', 'Expires=900', 'Expires=899', 'wrong signature'],
    ['expiry, too long', 'Expires=900', 'Expires=901', 'expiry is not 1 to 900 s'],
    ['expiry, zero', 'Expires=900', 'Expires=0', 'expiry is not 1 to 900 s'],
    ['expiry, negative', 'Expires=900', 'Expires=-1', 'expiry is not 1 to 900 s'],
    ['expiry, not decimal', 'Expires=900', 'Expires=1e2', 'expiry is not 1 to 900 s'],
    ['access key', 'AKIAEXAMPLE', 'AKIAEXAMPLF', 'unknown access key'],
    ['signature, absent', /&X-Amz-Signature=[0-9a-f]+/, '', 'wrong signature'],
    ['signature, upper case', /Signature=[0-9a-f]+/, (text: string) => text.toUpperCase(), 'wrong signature'],
    ['an added parameter', '/?', '/?Extra=1&', 'wrong signature'],
    ['an added session token', '/?', '/?X-Amz-Security-Token=x&', 'session token is not expected'],
    ['a duplicated user', '/?', '/?DBUser=app&', 'duplicated parameter'],
    ['a duplicate that is escaped', '/?', '/?%44BUser=app&', 'duplicated parameter'],
    ['a scheme', /^/, 'https://', 'malformed token'],
    ['a path', '/?', '/x?', 'malformed token'],
    ['a fragment', /$/, '#x', 'malformed token'],
    ['a bad escape', 'DBUser=app', 'DBUser=%zz', 'malformed token'],
    ['an escape that is not UTF-8', 'DBUser=app', 'DBUser=%ff', 'malformed token'],
    ['a parameter without a value', 'DBUser=app', 'DBUser', 'malformed token'],
    ['a line end', /$/, '\n', 'malformed token'],
  ] as [string, string | RegExp, string, string][])('rejects a tampered token: %s', (_, part, by, reason) => {
    const tampered = token.replace(part, by);
    expect(tampered).not.toBe(token);
    expect(verdict(tampered)).toBe(reason);
  });

  it('rejects a signature with any one digit changed', () => {
    const start = token.indexOf('X-Amz-Signature=') + 'X-Amz-Signature='.length;
    for (let index = start; index < start + 64; index += 1) {
      const digit = token[index] === '0' ? '1' : '0';
      expect(verdict(token.slice(0, index) + digit + token.slice(index + 1))).toBe('wrong signature');
    }
  });

  it('rejects a temporary key’s token with the session token cut or changed', () => {
    expect(verdict(temporary.replace('%3D%3Dx', '%3D%3Dy'))).toBe('wrong session token');
    expect(verdict(temporary.replace(/X-Amz-Security-Token=[^&]+&/, ''))).toBe('session token is missing');
    expect(verdict(temporary.replace(/Security-Token=[^&]+/, 'Security-Token='))).toBe('wrong session token');
  });

  it.each(['', ' ', '/?', 'x', 'db.example.com:5432/?', 'password', '\0', '?'.repeat(5000)])(
    'rejects a string that is not a token: %j',
    (text) => {
      expect(verdict(text)).toMatch(/^malformed token$/);
    },
  );

  it('includes no part of the token in the reason for a rejection', () => {
    const signature = token.slice(token.indexOf('Signature=') + 10).slice(0, 64);
    const secretAccessKey = 'rotated';
    expect(verdict(token, { credentials: () => ({ secretAccessKey }) })).not.toContain(signature);
    expect(verdict(token, { user: 'x' })).not.toContain('AKIA');
  });
});
