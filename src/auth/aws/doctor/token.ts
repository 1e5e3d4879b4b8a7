import { withTimeout } from '../../../deadline.js';
import { CLOCK_LIMIT_MS, CLOCK_REMEDY, differenceText } from '../../../doctor/clock.js';
import { ok, warning, type Outcome } from '../../../doctor/report.js';
import { askService } from '../../../doctor/service-answer.js';
import type { Session } from '../../../doctor/session.js';
import { isEndpoint } from '../endpoint.js';
import { asksToDetect } from './region.js';
import { imdsEndpoint, maskedKeyId } from './source.js';

const CLOCK_REQUEST_MS = 1_000;

/** The claims that can be read in a token. */
export interface TokenClaims {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly action: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly signedAt: Date;
  readonly expiresInS: number;
}

/** Reads the claims of a token, and compares this machine's clock with the metadata service's. */
export async function describeToken(token: string, session: Session, signal: AbortSignal): Promise<Outcome> {
  const claims = readClaims(token);
  const expiresAt = endOf(claims, session);
  const aheadMs = await measureClock(session, signal);
  const facts = {
    host: claims.host,
    port: claims.port,
    user: claims.user,
    region: claims.region,
    access_key_id: maskedKeyId(claims.accessKeyId),
    signed_at: claims.signedAt.toJSON(),
    expires_at: expiresAt.toJSON(),
    clock_ahead_ms: aheadMs ?? null,
  };
  const { user, host, port, region } = claims;
  const foreign = isEndpoint(host) ? '' : `; ${host} is not the name of an RDS endpoint`;
  const text = `for ${user} at ${host}:${port} in ${region}, valid until ${shownDate(expiresAt)}${foreign}`;
  if (aheadMs === undefined) return ok(text, { facts });
  const clock = `clock ${differenceText(aheadMs)} the metadata service`;
  if (Math.abs(aheadMs) < CLOCK_LIMIT_MS) return ok(`${text}; ${clock}`, { facts });
  return warning('clock_skew', `${text}; ${clock}`, CLOCK_REMEDY, facts);
}

/** When a token expires: at its own expiry or at that of the credentials that signed it, whichever comes first. */
export function endOf({ signedAt, expiresInS }: TokenClaims, session: Session): Date {
  const { expireAtMs } = session.get('credentials');
  return new Date(Math.min(signedAt.getTime() + expiresInS * 1_000, expireAtMs ?? Infinity));
}

/** Formats a date; if the clock is far off, the token's date format may not be able to represent it. */
export function shownDate(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an unknown time' : date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The claims of a token, which is a presigned request without its scheme. */
export function readClaims(token: string): TokenClaims {
  const url = new URL(`https://${token}`);
  const claim = (name: string): string => url.searchParams.get(name) ?? '';
  const [accessKeyId = '', , region = ''] = claim('X-Amz-Credential').split('/');
  const date = claim('X-Amz-Date').replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  return {
    host: url.hostname,
    port: Number(url.port || 443),
    user: claim('DBUser'),
    action: claim('Action'),
    region,
    accessKeyId,
    signedAt: new Date(date),
    expiresInS: Number(claim('X-Amz-Expires')),
  };
}

/** How far this clock is ahead of the metadata service's, if that service returned the credentials or the region. */
async function measureClock(session: Session, signal: AbortSignal): Promise<number | undefined> {
  const detected = asksToDetect(session) ? imdsEndpoint(session.env) : undefined;
  const service = session.get('credentials').service ?? detected;
  if (service === undefined) return undefined;
  try {
    const { clockAheadMs } = await withTimeout(CLOCK_REQUEST_MS, signal, (limit) =>
      askService(new URL('/', service), {}, limit),
    );
    if (clockAheadMs !== undefined) session.set('clock', { aheadMs: clockAheadMs, of: 'metadata service' });
    return clockAheadMs;
  } catch {
    // The comparison is optional.
    return undefined;
  }
}
