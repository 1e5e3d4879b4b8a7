import { createHash, createHmac } from 'node:crypto';
import type { Config } from '../../src/settings/config.js';
import type { ConnectTarget } from '../../src/hooks.js';

/** The keys of AWS's own signing examples. */
export const EXAMPLE_KEYS = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};

export const HOST = 'db.abc.us-east-1.rds.amazonaws.com';

export function iamConfig(overrides: Partial<Config> = {}): Config {
  return {
    host: HOST,
    port: 5432,
    user: 'app',
    database: 'app',
    dynamicAuth: { awsRdsIam: { region: 'us-east-1' } },
    ...overrides,
  };
}

export function inRegion(region: string): Config {
  return iamConfig({ dynamicAuth: { awsRdsIam: { region } } });
}

export function newTarget(overrides: Partial<ConnectTarget> = {}): ConnectTarget {
  return { host: HOST, port: 5432, user: 'someone', password: '', database: 'app', ssl: {}, ...overrides };
}

/** A parameter of a token, decoded. */
export function parameter(token: string, name: string): string | undefined {
  const query = token.slice(token.indexOf('?') + 1);
  const pair = query.split('&').find((one) => one.startsWith(`${name}=`));
  return pair === undefined ? undefined : decodeURIComponent(pair.slice(name.length + 1));
}

/** The access key that signed a token. */
export function signedBy(token: string): string | undefined {
  return parameter(token, 'X-Amz-Credential')?.split('/')[0];
}

/** The expected token, computed from the SigV4 rules alone. */
export function expectedToken(expected: {
  readonly authority: string;
  readonly user: string;
  readonly region: string;
  readonly date: Date;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}): string {
  const date = expected.date.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [date.slice(0, 8), expected.region, 'rds-db', 'aws4_request'];
  const query = [
    ['Action', 'connect'],
    ['DBUser', expected.user],
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', [expected.accessKeyId, ...scope].join('/')],
    ['X-Amz-Date', date],
    ['X-Amz-Expires', '900'],
    ...(expected.sessionToken === undefined ? [] : [['X-Amz-Security-Token', expected.sessionToken]]),
    ['X-Amz-SignedHeaders', 'host'],
  ]
    .map((pair) => pair.map(escape).join('='))
    .join('&');
  const request = `GET\n/\n${query}\nhost:${expected.authority}\n\nhost\n${sha256('')}`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(request)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${expected.secretAccessKey}`);
  return `${expected.authority}/?${query}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`;
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** A token's address and parameters; the parameters are sorted. */
export function parts(token: string): { readonly address: string; readonly parameters: readonly string[] } {
  const [address = '', query = ''] = token.split('?');
  return { address, parameters: query.split('&').sort() };
}
