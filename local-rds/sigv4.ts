import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The secret part of an access key; `sessionToken` for a temporary one. */
export interface SecretKey {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What a token must have been signed for. */
export interface TokenExpectation {
  /** Host name or address the client was told to dial, without brackets. */
  readonly host: string;
  readonly port: number;
  /** The database user who logs in. */
  readonly user: string;
  readonly region: string;
  /** The verifier's clock. */
  readonly now: Date;
  /** Looks up an access key; `undefined` for an unknown or expired one. */
  readonly credentials: (accessKeyId: string) => SecretKey | undefined;
}

/** The outcome; the reason names what is wrong and holds no part of the token. */
export type TokenVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The reason given for a token of another endpoint. */
export const WRONG_ENDPOINT = 'signed for another host or port';

const FUTURE_LIMIT_MS = 5 * 60_000;
const MAX_EXPIRES_S = 900;
const EMPTY_BODY = createHash('sha256').update('').digest('hex');

/** Verifies an RDS IAM token: a presigned SigV4 GET of `rds-db:connect`, without its scheme; never throws. */
export function verifyToken(token: string, expected: TokenExpectation): TokenVerdict {
  const reason = findFault(token, expected);
  return reason === undefined ? { ok: true } : { ok: false, reason };
}

function findFault(token: string, expected: TokenExpectation): string | undefined {
  const [, authority, query] = /^([^/?#\s]+)\/\?([^?#\s]+)$/.exec(token) ?? [];
  if (authority === undefined || query === undefined) return 'malformed token';
  const parameters = parseQuery(query);
  if (typeof parameters === 'string') return parameters;
  const get = (name: string): string => parameters.get(name) ?? '';

  if (!authorities(expected).includes(authority)) return WRONG_ENDPOINT;
  if (get('Action') !== 'connect') return 'action is not connect';
  if (get('DBUser') !== expected.user) return 'signed for another user';
  if (get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return 'unknown algorithm';
  if (get('X-Amz-SignedHeaders') !== 'host') return 'signed headers are not exactly host';

  const scope = get('X-Amz-Credential').split('/');
  const [accessKeyId, day, region, service, terminator] = scope;
  if (scope.length !== 5 || !accessKeyId || !day || terminator !== 'aws4_request') {
    return 'malformed credential scope';
  }
  if (region !== expected.region) return 'signed for another region';
  if (service !== 'rds-db') return 'signed for another service';

  const date = get('X-Amz-Date');
  const fault = findTimeFault(date, day, get('X-Amz-Expires'), expected.now);
  if (fault !== undefined) return fault;

  const key = expected.credentials(accessKeyId);
  if (!key) return 'unknown access key';
  const sessionToken = parameters.get('X-Amz-Security-Token');
  if (sessionToken === undefined && key.sessionToken !== undefined) return 'session token is missing';
  if (sessionToken !== undefined && key.sessionToken === undefined) return 'session token is not expected';
  if (!equal(sessionToken ?? '', key.sessionToken ?? '')) return 'wrong session token';

  const canonicalRequest = `GET\n/\n${canonicalQuery(parameters)}\nhost:${authority}\n\nhost\n${EMPTY_BODY}`;
  const stringToSign = [
    'AWS4-HMAC-SHA256',
    date,
    scope.slice(1).join('/'),
    createHash('sha256').update(canonicalRequest).digest('hex'),
  ].join('\n');
  const signingKey = scope
    .slice(1)
    .reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${key.secretAccessKey}`));
  const signature = hmac(signingKey, stringToSign).toString('hex');
  return equal(get('X-Amz-Signature'), signature) ? undefined : 'wrong signature';
}

/** The parameters by decoded name, or what is wrong with them. */
function parseQuery(query: string): Map<string, string> | string {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&')) {
    const [rawName, rawValue, ...rest] = pair.split('=');
    if (!rawName || rawValue === undefined || rest.length > 0) return 'malformed token';
    let name: string;
    let value: string;
    try {
      name = decodeURIComponent(rawName);
      value = decodeURIComponent(rawValue);
    } catch {
      return 'malformed token';
    }
    // Which of two values counts is a matter of taste, and signer and verifier may differ in it.
    if (parameters.has(name)) return 'duplicated parameter';
    parameters.set(name, value);
  }
  return parameters;
}

// The SDK writes an IPv6 address as it was given, bare or in brackets.
function authorities({ host, port }: TokenExpectation): string[] {
  return host.includes(':') ? [`${host}:${port}`, `[${host}]:${port}`] : [`${host}:${port}`];
}

function findTimeFault(date: string, day: string, expires: string, now: Date): string | undefined {
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const signedAt = Date.parse(iso);
  // 31 February parses in some engines; a date must come back as it went in.
  if (iso === date || Number.isNaN(signedAt) || new Date(signedAt).toISOString() !== iso) {
    return 'malformed date';
  }
  if (day !== date.slice(0, 8)) return 'scope of another day than the date';
  if (!/^[1-9]\d{0,2}$/.test(expires) || Number(expires) > MAX_EXPIRES_S) return 'expiry is not 1 to 900 s';
  const ageMs = now.getTime() - signedAt;
  if (ageMs < -FUTURE_LIMIT_MS) return 'dated in the future';
  return ageMs > Number(expires) * 1000 ? 'expired' : undefined;
}

function canonicalQuery(parameters: ReadonlyMap<string, string>): string {
  return [...parameters]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

// Hashed first: the comparison needs equal lengths, and the length is not to be told either.
function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
