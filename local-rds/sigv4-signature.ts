import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The secret part of an access key; `sessionToken` for a temporary one. */
export interface SecretKey {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Looks up an access key; `undefined` for an unknown or expired one. */
export type KeyLookup = (accessKeyId: string) => SecretKey | undefined;

/** A signature of version 4 with what it says of itself. */
export interface Signed {
  /** `KEY/DAY/REGION/SERVICE/aws4_request`. */
  readonly credential: string;
  /** As in `20260304T050607Z`. */
  readonly date: string;
  readonly sessionToken: string | undefined;
  readonly canonicalRequest: string;
  readonly signature: string;
}

/** What it has to be signed for. */
export interface SignedFor {
  readonly region: string;
  readonly service: string;
}

/** The reason given for a key that is not accepted. */
export const UNKNOWN_KEY = 'unknown access key';

const TERMINATOR = 'aws4_request';

/** What is wrong with the scope of a credential; holds no part of it. */
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

/** What is wrong with the key and the signature, of a scope in which nothing is wrong; holds no part of them. */
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

/** Unix time in milliseconds of a date as in `20260304T050607Z`; undefined for anything else. */
export function dateMs(date: string): number | undefined {
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const ms = Date.parse(iso);
  // 31 February parses in some engines; a date must come back as it went in.
  return iso === date || Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? undefined : ms;
}

/** The SHA-256 of a text in hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

// Hashed first: the comparison needs equal lengths, and the length is not to be told either.
function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
