import { loginBackend } from '../../auth/doctor.js';
import { notConfigured, type Outcome } from '../report.js';
import type { Session } from '../session.js';

/** Finds the region that tokens are issued for. */
export async function checkRegion(session: Session, signal: AbortSignal): Promise<Outcome> {
  const backend = loginBackend(session.get('config'));
  if (backend === undefined) return notConfigured('not needed: logs in with a password');
  const check = backend.addition.checks?.region;
  return check
    ? await check(session, signal)
    : notConfigured(`not needed: ${backend.label} tokens have no region`);
}
