import {
  dateMs,
  findScopeFault,
  findSignatureFault,
  sha256,
  type KeyLookup,
  type SignedFor,
} from './sigv4-signature.js';

/** The endpoint, user and time for which a token must be signed. */
export interface TokenExpectation {
  /** The host name or address that clients dial, without brackets. */
  readonly host: string;
  readonly port: number;
  /** The database user who logs in. */
  readonly user: string;
  readonly region: string;
  /** The verifier's clock. */
  readonly now: Date;
  readonly credentials: KeyLookup;
}

/** The outcome; the reason names the fault and contains no part of the token. */
export type TokenVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The reason for a token of another endpoint. */
export const WRONG_ENDPOINT = 'signed for another host or port';

const FUTURE_LIMIT_MS = 5 * 60_000;
const EMPTY_BODY = sha256('');

/** Verifies an RDS IAM token: a presigned SigV4 GET of `rds-db:connect` without the scheme; never throws. */
export function verifyToken(token: string, expected: TokenExpectation): TokenVerdict {
  const { region, now, credentials, user } = expected;
  const reason = findTokenFault(token, {
    ...{ region, now, credentials, service: 'rds-db', mostSeconds: 900 },
    authorities: authorities(expected),
    wrongAuthority: WRONG_ENDPOINT,
    parameters: [
      ['Action', 'connect', 'action is not connect'],
      ['DBUser', user, 'signed for another user'],
    ],
  });
  return reason === undefined ? { ok: true } : { ok: false, reason };
}

/** The requirements for a presigned GET without the scheme. */
export interface PresignedExpectation extends SignedFor {
  /** Accepted hosts, with their port if the URL must name one. */
  readonly authorities: readonly string[];
  /** The reason for another host. */
  readonly wrongAuthority: string;
  /** Parameters with their required values, and the reason for another value. */
  readonly parameters: readonly (readonly [name: string, value: string, reason: string])[];
  /** The longest validity in seconds. */
  readonly mostSeconds: number;
  /** The verifier's clock. */
  readonly now: Date;
  readonly credentials: KeyLookup;
}

/** The fault of a presigned GET without the scheme; the reason contains no part of it. */
export function findTokenFault(token: string, expected: PresignedExpectation): string | undefined {
  const [, authority, query] = /^([^/?#\s]+)\/\?([^?#\s]+)$/.exec(token) ?? [];
  if (authority === undefined || query === undefined) return 'malformed token';
  const parameters = parseQuery(query);
  if (typeof parameters === 'string') return parameters;
  const get = (name: string): string => parameters.get(name) ?? '';

  if (!expected.authorities.includes(authority)) return expected.wrongAuthority;
  const wrong = expected.parameters.find(([name, value]) => get(name) !== value);
  if (wrong) return wrong[2];
  if (get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return 'unknown algorithm';
  if (get('X-Amz-SignedHeaders') !== 'host') return 'signed headers are not exactly host';

  const [credential, date] = [get('X-Amz-Credential'), get('X-Amz-Date')];
  const fault =
    findScopeFault(credential, date, expected) ?? findAgeFault(date, get('X-Amz-Expires'), expected);
  if (fault !== undefined) return fault;

  const signed = {
    credential,
    date,
    sessionToken: parameters.get('X-Amz-Security-Token'),
    canonicalRequest: `GET\n/\n${canonicalQuery(parameters)}\nhost:${authority}\n\nhost\n${EMPTY_BODY}`,
    signature: get('X-Amz-Signature'),
  };
  return findSignatureFault(signed, expected.credentials);
}

/** The parameters by decoded name, or their fault. */
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
    // Signer and verifier might choose different ones of two values.
    if (parameters.has(name)) return 'duplicated parameter';
    parameters.set(name, value);
  }
  return parameters;
}

// The SDK writes an IPv6 address as given, bare or in brackets.
function authorities({ host, port }: TokenExpectation): string[] {
  return host.includes(':') ? [`${host}:${port}`, `[${host}]:${port}`] : [`${host}:${port}`];
}

function findAgeFault(
  date: string,
  expires: string,
  { now, mostSeconds }: PresignedExpectation,
): string | undefined {
  if (!/^[1-9]\d{0,5}$/.test(expires) || Number(expires) > mostSeconds) {
    return `expiry is not 1 to ${mostSeconds} s`;
  }
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
