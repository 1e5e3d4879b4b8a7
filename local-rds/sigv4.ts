import { dateMs, findScopeFault, findSignatureFault, sha256, type KeyLookup } from './sigv4-signature.js';

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
  readonly credentials: KeyLookup;
}

/** The outcome; the reason names what is wrong and holds no part of the token. */
export type TokenVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The reason given for a token of another endpoint. */
export const WRONG_ENDPOINT = 'signed for another host or port';

const FUTURE_LIMIT_MS = 5 * 60_000;
const MAX_EXPIRES_S = 900;
const EMPTY_BODY = sha256('');

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

  const [credential, date] = [get('X-Amz-Credential'), get('X-Amz-Date')];
  const { region, credentials } = expected;
  const fault =
    findScopeFault(credential, date, { region, service: 'rds-db' }) ??
    findAgeFault(date, get('X-Amz-Expires'), expected.now);
  if (fault !== undefined) return fault;

  const signed = {
    credential,
    date,
    sessionToken: parameters.get('X-Amz-Security-Token'),
    canonicalRequest: `GET\n/\n${canonicalQuery(parameters)}\nhost:${authority}\n\nhost\n${EMPTY_BODY}`,
    signature: get('X-Amz-Signature'),
  };
  return findSignatureFault(signed, credentials);
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

function findAgeFault(date: string, expires: string, now: Date): string | undefined {
  if (!/^[1-9]\d{0,2}$/.test(expires) || Number(expires) > MAX_EXPIRES_S) return 'expiry is not 1 to 900 s';
  const ageMs = now.getTime() - (dateMs(date) ?? NaN);
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
