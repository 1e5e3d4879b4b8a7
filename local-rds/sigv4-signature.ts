import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The secret part of an access key; `sessionToken` is set for a temporary one. */
export interface SecretKey {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Looks up an access key; `undefined` for an unknown or expired one. */
export type KeyLookup = (accessKeyId: string) => SecretKey | undefined;

/** A version 4 signature with its parameters. */
export interface Signed {
  /** `KEY/DAY/REGION/SERVICE/aws4_request`. */
  readonly credential: string;
  /** As in `20260304T050607Z`. */
  readonly date: string;
  readonly sessionToken: string | undefined;
  readonly canonicalRequest: string;
  readonly signature: string;
}

/** The region and service for which it must be signed. */
export interface SignedFor {
  readonly region: string;
  readonly service: string;
}

/** The reason for an access key that is not accepted. */
export const UNKNOWN_KEY = 'unknown access key';

const TERMINATOR = 'aws4_request';

/** The fault in the scope of a credential; contains no part of it. */
export function findScopeFault(credential: string, date: string, expected: SignedFor): string | undefined {
  const scope = credential.split('/');
  const [accessKeyId, day, region, service, terminator] = scope;
  if (scope.length !== 5 || !accessKeyId || !day || terminator !== TERMINATOR) {
    return 'malformed credential scope';
  }
  if (region !== expected.region) return 'signed for another region';
  if (service !== expected.service) return 'signed for another service';
  if (dateMs(date) === undefined) return 'malformed date';
  return day === date.slice(0, 8) ? undefined : 'scope of another day than the date';
}

/** The fault in the key or the signature, given a correct scope; contains no part of them. */
export function findSignatureFault(signed: Signed, credentials: KeyLookup): string | undefined {
  const { credential, date, sessionToken, canonicalRequest } = signed;
  const [accessKeyId = '', ...scope] = credential.split('/');
  const key = credentials(accessKeyId);
  if (!key) return UNKNOWN_KEY;
  if (sessionToken === undefined && key.sessionToken !== undefined) return 'session token is missing';
  if (sessionToken !== undefined && key.sessionToken === undefined) return 'session token is not expected';
  if (!equal(sessionToken ?? '', key.sessionToken ?? '')) return 'wrong session token';
  const stringToSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonicalRequest)].join('\n');
  const signingKey = scope.reduce<Buffer>(hmac, Buffer.from(`AWS4${key.secretAccessKey}`));
  const signature = hmac(signingKey, stringToSign).toString('hex');
  return equal(signed.signature, signature) ? undefined : 'wrong signature';
}

/** Unix time in milliseconds of a date like `20260304T050607Z`; undefined for anything else. */
export function dateMs(date: string): number | undefined {
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const ms = Date.parse(iso);
  // Some engines parse 31 February; a valid date survives the round trip.
  return iso === date || Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? undefined : ms;
}

/** The SHA-256 of a text in hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

// Hashed first, because the comparison needs equal lengths and must not reveal the length either.
function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
