import type { IncomingMessage } from 'node:http';
import {
  dateMs,
  findScopeFault,
  findSignatureFault,
  sha256,
  type KeyLookup,
  type SignedFor,
} from './sigv4-signature.js';

/** The region, service and time for which a request must be signed. */
export interface RequestExpectation extends SignedFor {
  /** The verifier's clock. */
  readonly now: Date;
  readonly credentials: KeyLookup;
}

/** The largest accepted difference between the two clocks. */
const SKEW_MS = 5 * 60_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^\s,]+), ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/**
 * The fault of a `POST /` to an AWS API that is signed in its headers with version 4; the reason contains no part of
 * the request.
 */
export function findRequestFault(
  request: IncomingMessage,
  body: string,
  expected: RequestExpectation,
): string | undefined {
  const header = (name: string): string => [request.headers[name] ?? []].flat().join(',');
  if (request.method !== 'POST' || request.url !== '/') return 'not a POST to /';
  const [, credential, names, signature] = AUTHORIZATION.exec(header('authorization')) ?? [];
  if (credential === undefined || names === undefined || signature === undefined) return 'not signed';

  const signedNames = names.split(';');
  const needed = Object.keys(request.headers).filter(mustBeSigned);
  if (!needed.every((name) => signedNames.includes(name))) return 'a header that must be signed is not';
  const inOrder = signedNames.every((name, index) => index === 0 || name > (signedNames[index - 1] ?? ''));
  if (!inOrder) return 'the signed headers are not in order';

  const date = header('x-amz-date');
  const fault = findScopeFault(credential, date, expected);
  if (fault !== undefined) return fault;
  if (Math.abs(expected.now.getTime() - (dateMs(date) ?? NaN)) > SKEW_MS) return 'the clocks differ';

  const headers = signedNames.map((name) => `${name}:${header(name).trim().replace(/ +/g, ' ')}\n`).join('');
  const sessionToken =
    request.headers['x-amz-security-token'] === undefined ? undefined : header('x-amz-security-token');
  const canonicalRequest = `POST\n/\n\n${headers}\n${names}\n${sha256(body)}`;
  return findSignatureFault(
    { credential, date, sessionToken, canonicalRequest, signature },
    expected.credentials,
  );
}

function mustBeSigned(name: string): boolean {
  return name === 'host' || name === 'content-type' || name.startsWith('x-amz-');
}
