import { withTimeout } from '../../deadline.js';
import { newAuthToken } from '../../auth/index.js';
import { CLOCK_LIMIT_MS, CLOCK_REMEDY, differenceText } from '../clock.js';
import { imdsEndpoint, maskedKeyId } from '../credential-source.js';
import { failed, notConfigured, ok, warning, type Outcome } from '../report.js';
import { askService } from '../service-answer.js';
import type { Session } from '../session.js';

const CLOCK_REQUEST_MS = 1_000;

/** What a token says in clear. */
export interface TokenClaims {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly signedAt: Date;
  readonly expiresInS: number;
}

/** Signs one token as a connection would, and reads what it claims. */
export async function checkToken(session: Session, signal: AbortSignal): Promise<Outcome> {
  const config = session.get('config');
  if (config.dynamicAuth === undefined) return notConfigured('not needed: logs in with a password');
  let token: string;
  try {
    token = await newAuthToken(config, config.user, { signal });
  } catch (error) {
    return failed('token_failed', session.text.ofError(error), 'look at the credentials above');
  }
  session.text.hide(token);
  const claims = readClaims(token);
  const { expireAtMs } = session.get('credentials');
  const expiresAt = new Date(
    Math.min(claims.signedAt.getTime() + claims.expiresInS * 1_000, expireAtMs ?? Infinity),
  );
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
  const text = `for ${user} at ${host}:${port} in ${region}, valid until ${expiresAt.toISOString().replace(/\.\d+Z$/, 'Z')}`;
  if (aheadMs === undefined) return ok(text, { facts });
  const clock = `clock ${differenceText(aheadMs)} the metadata service`;
  if (Math.abs(aheadMs) < CLOCK_LIMIT_MS) return ok(`${text}; ${clock}`, { facts });
  return warning('clock_skew', `${text}; ${clock}`, CLOCK_REMEDY, facts);
}

/** What a token claims: a presigned request without its scheme. */
export function readClaims(token: string): TokenClaims {
  const url = new URL(`https://${token}`);
  const claim = (name: string): string => url.searchParams.get(name) ?? '';
  const [accessKeyId = '', , region = ''] = claim('X-Amz-Credential').split('/');
  const date = claim('X-Amz-Date').replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  return {
    host: url.hostname,
    port: Number(url.port || 443),
    user: claim('DBUser'),
    region,
    accessKeyId,
    signedAt: new Date(date),
    expiresInS: Number(claim('X-Amz-Expires')),
  };
}

/** How far this machine's clock is ahead of the metadata service's, where one gave the credentials or the region. */
async function measureClock(session: Session, signal: AbortSignal): Promise<number | undefined> {
  const detected = session.settings.region === 'detect' ? imdsEndpoint(session.env) : undefined;
  const service = session.get('credentials').service ?? detected;
  if (service === undefined) return undefined;
  try {
    const { clockAheadMs } = await withTimeout(CLOCK_REQUEST_MS, signal, (limit) =>
      askService(new URL('/', service), {}, limit),
    );
    if (clockAheadMs !== undefined) session.set('clock', { aheadMs: clockAheadMs, of: 'metadata service' });
    return clockAheadMs;
  } catch {
    // Nobody needs that service to be asked.
    return undefined;
  }
}
